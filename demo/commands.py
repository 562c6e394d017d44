"""Run the commands that a user would type, with their output shown and a clean end on Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.errors import DemoError

ROOT = Path(__file__).resolve().parent.parent
_GRACE_SECONDS = 10


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without anything that could point at a real AWS account."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
    return kept | dict(extra or {})


class Command:
    """A command that runs beside the main thread, in a process group of its own."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        what: str,
        show: Callable[[str], None] | None = None,
        folder: Path = ROOT,
    ) -> None:
        self._what = what
        self._show = show
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            list(arguments),
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line.rstrip())
            if self._show is not None:
                self._show(self._lines[-1])

    def finish(self) -> str:
        """Wait for the end; the output, or DemoError with its last lines if the command failed."""
        self._process.wait()
        self._reader.join()
        if self._process.returncode:
            shown = "" if self._show is not None else ":\n  " + "\n  ".join(self._lines[-15:])
            raise DemoError(f"{self._what} ended with {self._process.returncode}{shown}")
        return "\n".join(self._lines)

    def cancel(self) -> None:
        """End the command and all that it started, if it still runs: first politely, then for good."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_GRACE_SECONDS)


def run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    what: str,
    show: Callable[[str], None] | None = None,
) -> str:
    """Run one command to its end and return its output; Ctrl-C ends the command too.

    Raises DemoError, with its last lines unless they were shown, if it fails.
    """
    command = Command(arguments, environment=environment, what=what, show=show)
    try:
        return command.finish()
    finally:
        command.cancel()


def python(*arguments: str) -> list[str]:
    """The argument vector of this Python with arguments."""
    return [sys.executable, *arguments]
