"""Run the commands that a user would type: plain ones, and long ones that never outlive the demo."""

import os
import queue
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.errors import DemoError
from local_cloud.processes import ProcessError, ProcessSpec, ProcessTable

ROOT = Path(__file__).resolve().parent.parent
_GRACE_SECONDS = 5
_LAST_LINES = 15
_LOOK_SECONDS = 0.1
# These lead Python to other packages than those that set-up installed.
_LEADING_ASTRAY = ("PYTHONPATH", "PYTHONHOME")


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without anything that could point at a real AWS account or at other packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_")) and name not in _LEADING_ASTRAY
    }
    no_settings = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | no_settings | {"PYTHONUTF8": "1"} | dict(extra or {})


def python(*arguments: str) -> list[str]:
    """The argument vector of this Python with arguments."""
    return [sys.executable, *arguments]


def run(arguments: Sequence[str], *, environment: Mapping[str, str], what: str) -> str:
    """Run a short command, or one whose children are to stay, and return its output.

    Ctrl-C asks the command to end and waits for it. Raises DemoError with its last lines if it fails.
    """
    with subprocess.Popen(
        list(arguments),
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            process.terminate()
            raise
    if process.returncode:
        raise DemoError(_failure(what, process.returncode, output.splitlines()))
    return output


class Command:
    """A command that runs beside the main thread and ends with the demo, even if that is killed.

    `show` gets each line in the thread that calls `finish`; it returns whether the user has seen the line.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        table: ProcessTable,
        environment: Mapping[str, str],
        what: str,
        show: Callable[[str], bool] = lambda _: False,
        folder: Path = ROOT,
    ) -> None:
        self._what = what
        self._show = show
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        spec = ProcessSpec(tuple(arguments), dict(environment), folder)
        try:
            self._process = table.start(spec, on_line=self._lines.put)
        except ProcessError as error:
            raise DemoError(f"{what} did not start: {error}") from None

    def finish(self) -> None:
        """Show the lines until the command ends; DemoError with the last unseen ones if it failed."""
        unseen: list[str] = []
        running = True
        while running or not self._lines.empty():
            running = self._process.running  # asked first: after the end no further line can come
            try:
                line = self._lines.get(timeout=_LOOK_SECONDS if running else 0)
            except queue.Empty:
                continue
            if not self._show(line):
                unseen.append(line)
        code = self._process.wait().exit_code
        if code:
            raise DemoError(_failure(self._what, code, unseen))

    def finish_or_cancel(self) -> None:
        """`finish`, and on Ctrl-C or any failure `cancel`."""
        try:
            self.finish()
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End the command and all that it started, if it still runs: first politely, then for good."""
        if self._process.running:
            self._process.stop(_GRACE_SECONDS)


def _failure(what: str, code: int, lines: Sequence[str]) -> str:
    last = [line.rstrip() for line in lines if line.strip()][-_LAST_LINES:]
    return f"{what} ended with {code}" + "".join(f"\n  {line}" for line in last)
