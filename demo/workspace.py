"""One demo at a time in a folder; which folder does not matter."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.errors import DemoError


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Make a folder and hold it; the operating system lets go of it however this process ends.

    Raises DemoError if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _locked(descriptor) or not _is_still(descriptor, folder):
            raise DemoError(
                f"another `make demo`, `make up` or `make pipeline` is at work in {folder}; wait until it ends, "
                "or give this one a folder of its own: .venv/bin/python -m demo --state-dir .local-cloud-2"
            )
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(descriptor: int, folder: Path) -> bool:
    """Whether the folder that was locked has not been removed meanwhile, by a demo that was just ending."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False
