"""What a job is asked: request.json, which the function that starts it writes, and times as SageMaker writes them.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drift_monitor.drift.policy import AlarmPolicy, WindowFindings, parse_policy
from drift_monitor.errors import SettingsError
from drift_monitor.metric_names import ANALYSES
from drift_monitor.results import Window


@dataclass(frozen=True, kw_only=True)
class WindowRequest:
    """The alarm policy and what earlier windows said, oldest first."""

    policy: AlarmPolicy = field(default_factory=AlarmPolicy)
    history: Sequence[WindowFindings] = ()


def parse_window_request(document: Mapping[str, Any]) -> WindowRequest:
    """The policy and history of request.json; raises SettingsError if they cannot be used."""
    policy, history = document.get("policy", {}), document.get("history", [])
    if not isinstance(policy, Mapping) or not isinstance(history, list):
        raise SettingsError("request.json: policy should be an object and history a list")
    return WindowRequest(policy=parse_policy(policy), history=tuple(parse_findings(item) for item in history))


def parse_findings(document: Any) -> WindowFindings:
    """Findings of an earlier window; raises SettingsError if they are malformed."""
    try:
        window = document.get("window")
        return WindowFindings(
            window=parse_window(window["start"], window["end"]) if window else None,
            judged=frozenset(map(str, document["judged"])),
            stood_out=frozenset(map(str, document["stood_out"])),
            checks_judged=_checks(document.get("checks_judged", {})),
            checks_stood_out=_checks(document.get("checks_stood_out", {})),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise SettingsError(f"request.json: an entry of history is malformed ({error!r})") from None


def _checks(columns: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, str]]:
    """Columns by check, as reports have them; those of older versions do not."""
    return frozenset((str(column), check) for check, names in columns.items() for column in names)


def parse_window(start: str, end: str) -> Window:
    """A window in UTC; raises SettingsError if it has no length."""
    window = Window(start=parse_time(start), end=parse_time(end))
    if window.start >= window.end:
        raise SettingsError(f"the window from {start} to {end} has no length; start_time must be before end_time")
    return window


def parse_time(text: str) -> datetime:
    """A time in UTC; one without a zone is UTC, and blanks within are passed over. Raises SettingsError."""
    try:
        moment = datetime.fromisoformat("".join(text.split()))
    except ValueError:
        raise SettingsError(f"{text!r} is no time such as 2026-11-23T18:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def parse_analyses(text: str) -> frozenset[str]:
    """Names of analyses, separated by commas; raises SettingsError for one that there is not."""
    given = frozenset(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(given - ANALYSES.keys())
    if unknown:
        raise SettingsError(f"there is no analysis {', '.join(unknown)}; there are {', '.join(ANALYSES)}")
    if not given:
        raise SettingsError(f"name at least one analysis; there are {', '.join(ANALYSES)}")
    return given
