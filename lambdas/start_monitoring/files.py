"""Finds the files of a window in the artifact bucket, and what earlier windows of the same version said.

Must not read a request or a label: the job does. The folders are SageMaker's:
`<prefix>/<endpoint>[/<variant>]/yyyy/mm/dd/hh/`, by hour of the request or of the label's arrival, in UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.shared.s3 import Bucket
from lambdas.start_monitoring.request import Window

_HOUR = timedelta(hours=1)
_FOLDER = "%Y/%m/%d/%H/"
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
        """Keys of the files with requests of the hours that the window touches: the job leaves out what is outside."""
        return list(self._of_hours(f"{self.capture_prefix}{self.endpoint}/{self.variant}/", window.start, window.end))

    def labels(self, window: Window, *, until: datetime) -> list[str]:
        """Keys of the files with labels that arrived since the window's start."""
        return list(self._of_hours(f"{self.ground_truth_prefix}{self.endpoint}/", window.start, until))

    def _of_hours(self, prefix: str, start: datetime, end: datetime) -> Iterator[str]:
        """Keys of the folders of the hours from that of `start` to the last that begins before `end`; both in UTC."""
        behind = end if end == _full(end) else _full(end) + _HOUR
        return self.bucket.keys(prefix, after=f"{prefix}{start:{_FOLDER}}", before=f"{prefix}{behind:{_FOLDER}}")


def _full(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one monitor for one version: `prefix` + `<window end>/`, so that their order is that of time."""

    bucket: Bucket
    prefix: str

    def folder(self, window: Window) -> str:
        """Of the run for a window; ends in a slash."""
        return self._folder(window.end)

    def history(self, window: Window, *, count: int, since: datetime) -> list[dict[str, Any]]:
        """Findings of the last `count` windows that were reported and ended before this one, oldest first.

        What ended before `since` does not count.
        """
        keys = [
            key
            for key in self.bucket.keys(self.prefix, after=self._folder(since), before=self.folder(window))
            if key.endswith(_REPORT)
        ]
        found = [self._findings(key) for key in keys[-count:]] if count else []
        return [one for one in found if one]

    def _folder(self, end: datetime) -> str:
        return f"{self.prefix}{end:%Y%m%dT%H%M%SZ}/"

    def _findings(self, key: str) -> dict[str, Any] | None:
        """What one report found; None for one that cannot be read: whoever announces it has complained already."""
        try:
            document = self.bucket.read_json(key)
        except ValueError:
            return None
        report: Mapping[str, Any] = document.value if document else {}
        findings = report.get("findings")
        return {"window": report.get("window"), **findings} if isinstance(findings, Mapping) else None
