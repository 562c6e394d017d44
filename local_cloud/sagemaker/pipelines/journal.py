"""Which executions run, in a file: so that the next server can say what a kill interrupted.

State itself lives in memory, as moto's does; this file is only for that message.
"""

import json
import threading
from pathlib import Path


class Journal:
    """The ARNs of executions that were started and have not ended. Every change is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open: list[str] = []

    def open(self, execution_arn: str) -> None:
        """An execution starts."""
        with self._lock:
            if execution_arn not in self._open:
                self._open.append(execution_arn)
            self._write()

    def close(self, execution_arn: str) -> None:
        """An execution has ended."""
        with self._lock:
            self._open = [arn for arn in self._open if arn != execution_arn]
            self._write()

    def clear(self) -> None:
        """Nothing runs: after a reset."""
        with self._lock:
            self._open = []
            if self._path.exists():
                self._write()

    def unfinished(self) -> list[str]:
        """What the file lists, which after a start is what the former server left; empty if there is no such file."""
        try:
            listed = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [str(arn) for arn in listed]

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._open, indent=2))
        temporary.replace(self._path)
