"""What became of the records while they were read: counts by reason, with the beginning of one example each.

Must not decide anything: whether a capture is healthy enough is for the checks and for the reader of the report.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from drift_monitor.results import CaptureHealth, Window

EXAMPLE_CHARACTERS = 120
_MOST_REASONS = 64
_OTHER = "further problems"
_HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class HealthCounter:
    """Counts of one read; mutable, the readers add to it. The attributes are those of `results.CaptureHealth`."""

    files: int = 0
    repeated_files: int = 0
    events: int = 0
    rows: int = 0
    unreadable_lines: int = 0
    outside_window: int = 0
    without_input: int = 0
    without_output: int = 0
    wrong_columns: int = 0
    _window: Window | None = None
    _hours: set[datetime] = field(default_factory=set)
    _problems: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, str] = field(default_factory=dict)

    def expect(self, window: Window) -> None:
        """The hours of this window are reported as empty, except those of which an event is seen."""
        self._window = window

    def saw_hour(self, hour: datetime) -> None:
        """An event of this hour (UTC) was read."""
        self._hours.add(hour)

    def problem(self, reason: str, example: str | bytes = "", *, count: int = 1) -> None:
        """Count a problem. Of the first example only the beginning is kept, for payloads may be private."""
        if count < 1:
            return
        if reason not in self._problems and len(self._problems) >= _MOST_REASONS:
            reason = _OTHER
        self._problems[reason] = self._problems.get(reason, 0) + count
        if example and reason not in self._examples:
            self._examples[reason] = _beginning(example)

    def unreadable(self, reason: str, line: str | bytes) -> None:
        """Count a line that is no event."""
        self.unreadable_lines += 1
        self.problem(reason, line)

    def result(self) -> CaptureHealth:
        """The counts so far."""
        return CaptureHealth(
            files=self.files,
            repeated_files=self.repeated_files,
            events=self.events,
            rows=self.rows,
            unreadable_lines=self.unreadable_lines,
            outside_window=self.outside_window,
            without_input=self.without_input,
            without_output=self.without_output,
            wrong_columns=self.wrong_columns,
            empty_hours=tuple(
                f"{hour:%Y-%m-%dT%H:00:00Z}" for hour in self._expected_hours() if hour not in self._hours
            ),
            problems=dict(self._problems),
            examples=dict(self._examples),
        )

    def _expected_hours(self) -> Iterator[datetime]:
        if self._window is None:
            return
        hour = self._window.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour < self._window.end:
            yield hour
            hour += _HOUR


def _beginning(example: str | bytes) -> str:
    """The first characters on one line; bytes that are not UTF-8 are shown as escapes."""
    if isinstance(example, bytes):
        # Four bytes are the longest character.
        example = example[: 4 * EXAMPLE_CHARACTERS].decode("utf-8", errors="backslashreplace")
    shown = "".join(character if character.isprintable() else " " for character in example[:EXAMPLE_CHARACTERS])
    return shown.strip()
