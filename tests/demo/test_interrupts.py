"""Ctrl-C at any moment: one line, exit status 130, and nothing of the demo is left."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_cloud.state import StateDirectory
from tests.demo.checkout import Checkout, make_checkout
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.xdist_group("local-cloud"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"),
]
_END = "interrupted; cleaning up ... the local cloud is stopped and its files are removed\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout of which no process is left after the test, whatever its outcome."""
    made = make_checkout(tmp_path)
    yield made
    for pid in made.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _server_starts(checkout: Checkout) -> bool:
    return any("local_cloud.server" in command for command in checkout.processes().values())


def _cli_runs(checkout: Checkout) -> bool:
    return (checkout.folder / "synth.started").exists() and (checkout.state / "bootstrap.started").exists()


def _local_cloud(checkout: Checkout, *arguments: str) -> None:
    command = [sys.executable, "-m", "local_cloud", *arguments, "--state-dir", str(checkout.state)]
    subprocess.run(command, cwd=checkout.folder, check=True, capture_output=True)


def _assert_clean_end(demo: "subprocess.Popen[str]", checkout: Checkout) -> None:
    output, _ = demo.communicate(timeout=60)
    assert output.endswith(_END), output
    assert "Traceback" not in output
    assert demo.returncode == 130
    assert checkout.processes() == {}
    assert not checkout.state.exists()


@pytest.mark.parametrize("moment", [_server_starts, _cli_runs])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(
    checkout: Checkout, moment: Callable[[Checkout], bool], number: signal.Signals
) -> None:
    """While the server starts and while the CDK CLI runs, Ctrl-C or SIGTERM ends all processes, removes all files."""
    demo = checkout.begin()
    wait_for(lambda: moment(checkout), what=moment.__name__)
    os.killpg(demo.pid, number)
    _assert_clean_end(demo, checkout)


def test_impatience_does_not_stop_the_clean_up(checkout: Checkout) -> None:
    """Whoever hits Ctrl-C again while the demo cleans up gets the same clean end."""
    demo = checkout.begin()
    wait_for(lambda: _cli_runs(checkout), what="the CDK CLI")
    os.killpg(demo.pid, signal.SIGINT)
    os.killpg(demo.pid, signal.SIGINT)
    wait_for(lambda: not any("cdk.py" in command for command in checkout.processes().values()), what="the CLI's end")
    os.killpg(demo.pid, signal.SIGINT)
    _assert_clean_end(demo, checkout)


def test_what_a_killed_demo_left_does_not_disturb_the_next(checkout: Checkout) -> None:
    """After kill -9 the commands are gone, and the next demo stops the server that was left and starts its own."""
    first = checkout.begin()
    wait_for(lambda: _cli_runs(checkout), what="the CDK CLI")
    left = StateDirectory(checkout.state).server()
    assert left is not None
    first.kill()
    first.communicate()
    wait_for(lambda: not any("cdk.py" in command for command in checkout.processes().values()), what="the CLI's end")
    for name in (checkout.folder / "synth.started", checkout.state / "bootstrap.started"):
        name.unlink()

    second = checkout.begin()
    wait_for(lambda: _cli_runs(checkout), what="the CDK CLI of the second demo")
    assert not left.alive
    os.killpg(second.pid, signal.SIGINT)
    _assert_clean_end(second, checkout)


def test_one_demo_at_a_time_in_a_folder(checkout: Checkout) -> None:
    """A second demo in the same folder says so and leaves the first one alone."""
    first = checkout.begin()
    wait_for(lambda: _cli_runs(checkout), what="the CDK CLI")
    second = checkout.begin()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert output.startswith("error: another `make demo`, `make up` or `make pipeline` is at work in ")
    assert first.poll() is None
    assert StateDirectory(checkout.state).server() is not None
    os.killpg(first.pid, signal.SIGINT)
    _assert_clean_end(first, checkout)


def test_an_interrupted_second_up_leaves_the_cloud_of_the_first(checkout: Checkout) -> None:
    """`make up` does not stop a cloud that it found running."""
    _local_cloud(checkout, "up", "--port", "0")
    second = checkout.begin("demo", "--keep-running")
    wait_for(lambda: _cli_runs(checkout), what="the CDK CLI")
    os.killpg(second.pid, signal.SIGINT)
    output, _ = second.communicate(timeout=60)
    server = StateDirectory(checkout.state).server()
    _local_cloud(checkout, "down")
    assert output.endswith("interrupted; cleaning up ... the local cloud is still up\n")
    assert server is not None
