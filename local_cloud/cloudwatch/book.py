"""The alarms of one account and region, their tags and their history. Storage only; the caller holds its lock."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_cloud.cloudwatch.alarm import Alarm, AlarmState, MetricCondition, Transition
from local_cloud.cloudwatch.alarm_rules import alarms as alarms_in

MOST_HISTORY = 2_000
_MOST_SUMMARY, _MOST_DATA = 255, 4095


@dataclass(frozen=True)
class HistoryItem:
    """One AlarmHistoryItem."""

    alarm_name: str
    alarm_type: str
    timestamp: datetime
    item_type: str
    summary: str
    data: str

    def described(self) -> dict[str, Any]:
        """The AlarmHistoryItem structure."""
        return {
            "AlarmName": self.alarm_name,
            "AlarmType": self.alarm_type,
            "Timestamp": self.timestamp,
            "HistoryItemType": self.item_type,
            "HistorySummary": self.summary[:_MOST_SUMMARY],
            "HistoryData": self.data[:_MOST_DATA],
        }


class AlarmBook:
    """Alarms by name, in the order of creation."""

    def __init__(self) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.history: deque[HistoryItem] = deque(maxlen=MOST_HISTORY)

    def metric_alarms(self) -> Iterator[tuple[Alarm, MetricCondition]]:
        """The metric alarms as they are at this moment."""
        for alarm in list(self.alarms.values()):
            if isinstance(alarm.condition, MetricCondition):
                yield alarm, alarm.condition

    def children(self, alarm: Alarm) -> tuple[str, ...]:
        """Names of the alarms in the rule of a composite alarm; none for a metric alarm."""
        if isinstance(alarm.condition, MetricCondition):
            return ()
        return tuple(alarm_name(given) for given in alarms_in(alarm.condition))

    def parents(self, name: str) -> list[Alarm]:
        """The composite alarms whose rules name an alarm."""
        return [alarm for alarm in self.alarms.values() if name in self.children(alarm)]

    def note(self, alarm: Alarm, item_type: str, summary: str, data: Mapping[str, Any], *, now: datetime) -> None:
        """Add to the history."""
        text = json.dumps(data, default=str)
        self.history.append(HistoryItem(alarm.name, alarm.kind, now, item_type, summary, text))

    def note_transition(self, transition: Transition) -> None:
        """Add a change of state to the history."""
        alarm, previous = transition.alarm, transition.previous
        summary = f"Alarm updated from {previous.value} to {alarm.state.value}"
        data = {"version": "1.0", "oldState": _state(previous), "newState": _state(alarm.state)}
        self.note(alarm, "StateUpdate", summary, data, now=alarm.state.transitioned)

    def note_action(self, transition: Transition, arn: str, *, problem: str | None, now: datetime) -> None:
        """Add an action, and why it failed if it did, to the history."""
        done = f"Successfully executed action {arn}"
        summary = done if problem is None else f'Failed to execute action {arn}. Received error: "{problem}"'
        data: dict[str, Any] = {
            "actionState": "Succeeded" if problem is None else "Failed",
            "notificationResource": arn,
        }
        data |= {"stateUpdateTimestamp": int(transition.alarm.state.transitioned.timestamp() * 1000), "error": problem}
        self.note(transition.alarm, "Action", summary, data, now=now)


def alarm_name(given: str) -> str:
    """The name of an alarm that a rule gives by name or by ARN."""
    return given.split(":alarm:", 1)[1] if given.startswith("arn:") and ":alarm:" in given else given


def _state(state: AlarmState) -> dict[str, Any]:
    known = {"stateValue": state.value.value, "stateReason": state.reason}
    return known if state.reason_data is None else known | {"stateReasonData": json.loads(state.reason_data)}
