"""EventBridge rules: they deliver through our own engine, and the engine that fires schedules is told of changes.

Patches: `Rule.send_to_targets`, `EventsBackend.put_rule` and the other operations that change a rule.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventsBackend, Rule, events_backends

from local_cloud.moto.hooks import Hooks
from local_cloud.scheduler.rules import ScheduledRule

_CHANGES = ("put_rule", "enable_rule", "disable_rule", "delete_rule")


def install(hooks: Hooks) -> None:
    """Deliver events through the engine, and tell it of every rule that changes."""

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        pattern = self.event_pattern.get_pattern()
        event = _event(original_event)
        if self.state != "ENABLED" or not pattern or not hooks.matches(pattern, event):
            return
        for target in list(self.targets):
            hooks.deliver(
                account=self.account_id, region=self.region_name, rule_arn=self.arn, target=target, event=event
            )

    Rule.send_to_targets = send_to_targets
    for name in _CHANGES:
        setattr(EventsBackend, name, _telling(getattr(EventsBackend, name), hooks))


def publish(account: str, region: str, event: dict[str, Any]) -> None:
    """Put an event of an AWS service on the default bus: every rule that matches hands it to its targets."""
    for rule in list(events_backends[account][region].event_buses["default"].rules.values()):
        rule.send_to_targets(event)


def scheduled_rules(account: str, region: str) -> list[ScheduledRule]:
    """The rules of the default bus that have a schedule."""
    return [
        ScheduledRule(rule.arn, rule.scheduled_expression, rule.state == "ENABLED", tuple(rule.targets))
        for rule in list(events_backends[account][region].event_buses["default"].rules.values())
        if rule.scheduled_expression
    ]


def _telling(original: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    """A change of a rule whose schedule is checked before, and of which the engine is told afterwards."""

    def change(self: EventsBackend, *arguments: Any, **named: Any) -> Any:
        if named.get("scheduled_expression"):
            hooks.check_schedule(named["scheduled_expression"])
        answer = original(self, *arguments, **named)
        hooks.rules_changed(self.account_id, self.region_name)
        return answer

    return change


def _event(event: Any) -> dict[str, Any]:
    moment = event.get("time")
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": moment}
