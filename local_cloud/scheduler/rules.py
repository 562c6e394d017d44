"""Rules of EventBridge with a ScheduleExpression: each puts a "Scheduled Event" to its targets when it is due.

The rules themselves are moto's; `read` gives them. UTC only, on the default bus, as on AWS.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from local_cloud.clock import Clock
from local_cloud.scheduler.errors import ScheduleExpressionError
from local_cloud.scheduler.expressions import Occurrences, parse_expression
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import ServiceError

_UTC = ZoneInfo("UTC")
# Rules take no at(), and the singular for the value 1 only.
_FORM = re.compile(r"cron\(.+\)|rate\(1 (minute|hour|day)\)|rate\((?!1 )\d+ (minutes|hours|days)\)")


@dataclass(frozen=True)
class ScheduledRule:
    """One rule with an expression; `targets` are EventBridge's Target structures."""

    arn: str
    expression: str
    enabled: bool
    targets: Sequence[Mapping[str, Any]]


ReadRules = Callable[[str, str], Sequence[ScheduledRule]]
"""(account, region): the rules that have a ScheduleExpression now."""


class Deliver(Protocol):
    """Hands an event to one target of one rule; returns at once."""

    def __call__(
        self, *, account: str, region: str, rule_arn: str, target: Mapping[str, Any], event: dict[str, Any]
    ) -> None: ...


class ScheduledRules:
    """Keeps the timetable in step with the rules. A rate counts from the moment at which the rule was enabled."""

    def __init__(self, *, clock: Clock, timetable: Timetable, read: ReadRules, deliver: Deliver) -> None:
        self._clock = clock
        self._timetable = timetable
        self._read = read
        self._deliver = deliver
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def check(self, expression: str) -> None:
        """Raise ValidationException, in EventBridge's words, for an expression it would refuse."""
        try:
            self._occurrences(expression)
        except ScheduleExpressionError as error:
            text = f"Parameter ScheduleExpression is not valid. ({error})"
            raise ServiceError("ValidationException", text) from error

    def changed(self, account: str, region: str) -> None:
        """Rules of an account and region were put, enabled, disabled or deleted."""
        wanted = {rule.arn: rule.expression for rule in self._read(account, region) if rule.enabled}
        with self._lock:
            prefix = f"arn:aws:events:{region}:{account}:"
            for arn in [arn for arn in self._known if arn.startswith(prefix) and arn not in wanted]:
                del self._known[arn]
                self._timetable.remove(arn)
            for arn, expression in wanted.items():
                if self._known.get(arn) != expression:
                    self._known[arn] = expression
                    fire = partial(self._fire, account, region, arn)
                    self._timetable.put(arn, self._occurrences(expression), fire, anchor=self._clock.now())

    def reset(self) -> None:
        """Forget all rules."""
        with self._lock:
            for arn in self._known:
                self._timetable.remove(arn)
            self._known.clear()

    def _occurrences(self, expression: str) -> Occurrences:
        if _FORM.fullmatch(expression) is None:
            raise ScheduleExpressionError(f"{expression!r} is no cron(fields), rate(1 minute) or rate(5 minutes)")
        return parse_expression(expression, zone=_UTC, origin=self._clock.now())

    def _fire(self, account: str, region: str, arn: str, due: datetime) -> None:
        rule = next((known for known in self._read(account, region) if known.arn == arn and known.enabled), None)
        if rule is None:
            return
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [arn],
            "detail": {},
        }
        for target in rule.targets:
            self._deliver(account=account, region=region, rule_arn=arn, target=target, event=event)
