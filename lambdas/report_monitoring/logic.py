"""Turns the report of an analysis into one event: a violation, or that all is well or cannot be said.

Must not judge: the report says what is a violation. A report that is delivered again is announced again.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.shared.errors import CorruptRecordError
from lambdas.shared.events import Event, EventBus
from lambdas.shared.s3 import Bucket

_FEATURES = 10
_LONGEST_SUMMARY = 2000


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one project's monitors in the artifact bucket; `subject` says whose they are in every event."""

    bucket: Bucket
    bus: EventBus
    subject: Mapping[str, str]

    def announce(self, key: str) -> str | None:
        """Announce the report under `key`, and give the kind of the event; None if there is no report any more."""
        try:
            document = self.bucket.read_json(key)
            if document is None:
                return None
            event = self._event(document.value, folder=posixpath.dirname(key))
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptRecordError(
                f"{self.bucket.uri(key)} is no report of the monitor: {error!r}; read the log of the job that "
                "wrote it, mend the analyzer and judge the window again"
            ) from error
        self.bus.send(event)
        return event.detail_type

    def _event(self, report: Mapping[str, Any], *, folder: str) -> Event:
        subject, window = report["subject"], report["window"] or {}
        detail: dict[str, Any] = {
            **self.subject,
            "monitor": subject["monitor"],
            "endpoint": subject.get("endpoint"),
            "modelPackageArn": subject.get("model_package_arn"),
            "windowStart": window.get("start"),
            "windowEnd": window.get("end"),
            "rows": report["rows"],
            "verdict": report["verdict"],
            "report": self.bucket.uri(f"{folder}/report.html"),
        }
        violations = report["violations"]
        if not violations:
            return Event("Monitoring Completed", detail)
        texts = [str(violation["description"]) for violation in violations]
        detail["kinds"] = sorted({violation["analysis"] for violation in violations})
        detail["features"] = list(dict.fromkeys(v["subject"] for v in violations))[:_FEATURES]
        detail["summary"] = "; ".join(texts)[:_LONGEST_SUMMARY]
        return Event("Violation Found", detail)
