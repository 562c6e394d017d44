"""`make pipeline` where it cannot work."""

from pathlib import Path

from tests.demo.checkout import make_checkout


def test_without_a_cloud_it_says_which_command_starts_one(tmp_path: Path) -> None:
    """One line and exit status 1; nothing is created."""
    checkout = make_checkout(tmp_path)
    process = checkout.begin("demo.inner_loop")
    output, _ = process.communicate(timeout=60)
    assert output == f"error: no local cloud is up in {checkout.state}; start one and load data with: make up\n"
    assert process.returncode == 1
    assert not checkout.state.exists()
