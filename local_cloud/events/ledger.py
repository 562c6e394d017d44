"""What became of every event that matched a rule: shown by `status`, asserted by tests, kept as JSON lines."""

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FILE_NAME = "deliveries.jsonl"
_MOST_ENTRIES = 5_000
_MOST_BYTES = 10_000_000


class Outcome(StrEnum):
    """What happened to a delivery at one moment."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    WILL_RETRY = "will retry"
    FAILED = "failed"
    DEAD_LETTERED = "dead-lettered"
    LOST = "lost"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `attempt` counts from 1, 0 before the first."""

    time: str
    outcome: Outcome
    delivery_id: str
    event_id: str
    source: str
    detail_type: str
    rule_arn: str
    target_arn: str
    attempt: int = 0
    error_code: str | None = None
    error_message: str | None = None


class Ledger:
    """The newest entries in memory, all of them in a file that is started anew at ten megabytes; thread-safe."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE_NAME
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)
        self._lock = threading.Lock()

    def record(self, entry: Entry) -> None:
        """Add an entry."""
        with self._lock:
            self._entries.append(entry)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.exists() and self._file.stat().st_size > _MOST_BYTES:
                self._file.replace(self._file.with_suffix(".old.jsonl"))
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(entry)) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        """The newest entries as plain values, oldest first."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def reset(self) -> None:
        """Forget everything, the file included."""
        with self._lock:
            self._entries.clear()
            self._file.unlink(missing_ok=True)
