"""Finds the files of a window in the artifact bucket, and what earlier windows of the same version said.

Must not read a request or a label: the job does. The folders are SageMaker's:
`<prefix>/<endpoint>[/<variant>]/yyyy/mm/dd/hh/`, by hour of the request or of the label's arrival, in UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.shared.s3 import Bucket
from lambdas.start_monitoring.request import Window

_HOUR = timedelta(hours=1)
_REPORT = "result/monitor_report.json"


@dataclass(frozen=True, slots=True)
class MonitoredFiles:
    """Files of one endpoint; prefixes end in `/`."""

    bucket: Bucket
    capture_prefix: str
    ground_truth_prefix: str
    endpoint: str
    variant: str

    def captured(self, window: Window) -> list[str]:
        """Keys of the files with requests of the window's hours, and of their neighbours."""
        return self._of_hours(f"{self.capture_prefix}{self.endpoint}/{self.variant}/", window.start, window.end)

    def labels(self, window: Window, *, until: datetime) -> list[str]:
        """Keys of the files with labels that arrived since the window's start."""
        return self._of_hours(f"{self.ground_truth_prefix}{self.endpoint}/", window.start, until)

    def _of_hours(self, prefix: str, start: datetime, end: datetime) -> list[str]:
        return [key for hour in _hours(start, end) for key in self.bucket.list(f"{prefix}{hour:%Y/%m/%d/%H}/")]


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield hour
        hour += _HOUR


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one monitor for one version: `prefix` + `<window end>/`, so that their order is that of time."""

    bucket: Bucket
    prefix: str

    def folder(self, window: Window) -> str:
        """Of the run for a window; ends in a slash."""
        return f"{self.prefix}{window.end:%Y%m%dT%H%M%SZ}/"

    def history(self, window: Window, *, count: int) -> list[dict[str, Any]]:
        """Findings of the `count` windows before this one that were reported, oldest first."""
        before = self.folder(window)
        keys = [key for key in self.bucket.list(self.prefix) if key.endswith(_REPORT) and key < before]
        documents = [self.bucket.read_json(key) for key in keys[-count:]] if count else []
        return [{"window": one.value["window"], **one.value["findings"]} for one in documents if one]
