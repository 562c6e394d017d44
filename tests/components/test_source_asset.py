"""Which files an asset holds, asked of git, whose patterns these are."""

import subprocess
from pathlib import Path

import pytest

from components.source_asset import all_but


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small tree of files under git's eyes, without a commit."""
    for name in (
        "app.py",
        "lambdas/__init__.py",
        "lambdas/one/handler.py",
        "lambdas/one/__pycache__/handler.pyc",
        "lambdas/two/handler.py",
        "lambdas/one/lambdas/two.py",
        "docs/lambdas/one/readme.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def _kept(repository: Path, patterns: list[str]) -> set[str]:
    (repository / ".git" / "info" / "exclude").write_text("\n".join(patterns))
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.split())


def test_only_the_named_paths_are_kept(repository: Path) -> None:
    """Folders come with everything below them, files alone, and both only at their own place."""
    patterns = all_but(["lambdas/__init__.py", "lambdas/one"])

    assert _kept(repository, patterns) == {
        "lambdas/__init__.py",
        "lambdas/one/handler.py",
        "lambdas/one/lambdas/two.py",
    }


def test_leftovers_of_interpreters_never_count(repository: Path) -> None:
    """A test run before a deployment does not change what gets deployed."""
    assert "lambdas/one/__pycache__/handler.pyc" not in _kept(repository, all_but(["lambdas"]))


def test_a_folder_may_be_kept_as_a_whole(repository: Path) -> None:
    """A path without parents lets nothing else in."""
    assert _kept(repository, all_but(["docs"])) == {"docs/lambdas/one/readme.md"}
