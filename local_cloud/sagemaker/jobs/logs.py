"""A job's output, line by line, in CloudWatch Logs, written with the job role's rights.

The log group and stream are made by the shipping thread, while the job already runs: logging costs a job no waiting.
"""

import contextlib
import threading
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clock import Clock

_BATCH_LINES = 1000
_BATCH_CHARACTERS = 200_000
_FLUSH_SECONDS = 0.5
_EMPTY_LINE = " "


class LogStream:
    """Collects lines and ships them in batches until it is closed."""

    def __init__(self, client: Any, *, group: str, stream: str, clock: Clock) -> None:
        self.error: ClientError | None = None
        self._client = client
        self._group = group
        self._stream = stream
        self._clock = clock
        self._lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._ship, name=f"log-{stream}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add one line, with the present time."""
        with self._changed:
            self._lines.append({"timestamp": _milliseconds(self._clock.now()), "message": line or _EMPTY_LINE})

    def close(self) -> None:
        """Ship what is left and end. Afterwards `error` is the first refusal of CloudWatch Logs, if there was one."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _ship(self) -> None:
        try:
            self._make()
            closed = False
            while not closed:
                with self._changed:
                    if not self._closed:
                        self._changed.wait(_FLUSH_SECONDS)
                    closed, lines, self._lines = self._closed, self._lines, []
                for batch in _batches(lines):
                    self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)
        except ClientError as error:
            self.error = error

    def _make(self) -> None:
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except self._client.exceptions.ResourceNotFoundException:
            # Another job's thread may have been faster.
            with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                self._client.create_log_group(logGroupName=self._group)
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)


def _batches(lines: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    batches: list[list[dict[str, Any]]] = []
    room = 0
    for line in lines:
        length = len(line["message"]) + 26
        if not batches or len(batches[-1]) >= _BATCH_LINES or length > room:
            batches.append([])
            room = _BATCH_CHARACTERS
        batches[-1].append(line)
        room -= length
    return batches


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
