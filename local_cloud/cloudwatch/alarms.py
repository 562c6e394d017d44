"""The alarms of all accounts: what puts, reads and moves them, and what follows when one changes its state.

Metric alarms are evaluated by a thread of their own as the scaled clock goes on, composite alarms whenever an alarm
of their rule changes. Events and actions are sent later, in the order of the changes, never under a lock.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from local_cloud.clock import Clock
from local_cloud.cloudwatch.actions import ActionError, Actions
from local_cloud.cloudwatch.alarm import Alarm, AlarmState, MetricCondition, Transition
from local_cloud.cloudwatch.alarm_rules import Rule, holds
from local_cloud.cloudwatch.announcements import EVENT_SOURCE, STATE_CHANGE, event_detail
from local_cloud.cloudwatch.book import AlarmBook, alarm_name
from local_cloud.cloudwatch.evaluation import State
from local_cloud.cloudwatch.evaluator import Evaluator
from local_cloud.cloudwatch.expression_syntax import ExpressionError
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.pacemaker import Pacemaker
from local_cloud.cloudwatch.reasons import INITIAL_REASON, composite_reason, composite_reason_data
from local_cloud.errors import LocalCloudError
from local_cloud.events.background import BackgroundWork
from local_cloud.events.bus import EventBus
from local_cloud.service import RequestContext
from local_cloud.stores import Partitioned

SHORTEST_PACE_SECONDS, LONGEST_PACE_SECONDS = 0.05, 1.0
_log = logging.getLogger(__name__)


class Alarms:
    """Alarms and their evaluation; thread-safe. `sample` is called before each round with each condition.

    `automatic` is False in tests that call `evaluate` themselves.
    """

    def __init__(
        self,
        *,
        metrics: MetricStore,
        clock: Clock,
        events: EventBus,
        actions: Actions,
        sample: Callable[[MetricCondition], None] = lambda condition: None,
        automatic: bool = True,
    ) -> None:
        self._clock = clock
        self._events = events
        self._actions = actions
        self._sample = sample
        self._automatic = automatic
        self._lock = threading.RLock()
        self._books: Partitioned[AlarmBook] = Partitioned(AlarmBook)
        self._evaluator = Evaluator(metrics=metrics, clock=clock)
        self._work = BackgroundWork("alarm-actions", threads=1)
        self._pacemaker = Pacemaker("alarm-evaluation", self._round)

    def state_of(self, account: str, region: str, name: str) -> str | None:
        """OK, ALARM or INSUFFICIENT_DATA; None if there is no such alarm."""
        with self.book(RequestContext(account, region)) as book:
            alarm = book.alarms.get(alarm_name(name))
            return alarm.state.value.value if alarm else None

    @contextmanager
    def book(self, context: RequestContext) -> Iterator[AlarmBook]:
        """The alarms of an account and region, for as long as the lock is held."""
        with self._lock:
            yield self._books.of(context)

    def put(self, context: RequestContext, alarm: Alarm) -> None:
        """Make an alarm, or give it other settings: its state is kept then, as on AWS."""
        with self.book(context) as book:
            known = book.alarms.get(alarm.name)
            book.alarms[alarm.name] = alarm if known is None else replace(alarm, state=known.state)
            verb = "updated" if known else "created"
            summary, data = f'Alarm "{alarm.name}" {verb}', {"type": verb.capitalize(), "version": "1.0"}
            book.note(alarm, "ConfigurationUpdate", summary, data, now=self._clock.now())
            self._evaluator.forget(alarm)
            self._follow(book, alarm.name, triggering=None)
        if self._automatic:
            self._pacemaker.wake()

    def remove(self, context: RequestContext, name: str) -> None:
        """Delete an alarm that exists."""
        with self.book(context) as book:
            alarm = book.alarms.pop(name)
            book.tags.pop(name, None)
            self._evaluator.forget(alarm)
            data = {"type": "Delete", "version": "1.0"}
            book.note(alarm, "ConfigurationUpdate", f'Alarm "{name}" deleted', data, now=self._clock.now())

    def set_state(self, context: RequestContext, name: str, *, value: State, reason: str, data: str | None) -> None:
        """Put an alarm that exists into a state until it is evaluated again."""
        with self.book(context) as book:
            alarm, now = book.alarms[name], self._clock.now()
            if isinstance(alarm.condition, MetricCondition):
                self._evaluator.hold(alarm, alarm.condition)
            since = now if value is not alarm.state.value else alarm.state.transitioned
            self._move(book, alarm, AlarmState(value, reason, data, now, since))

    def enable_actions(self, context: RequestContext, name: str, *, enabled: bool) -> None:
        """Let the actions of an alarm be called or not."""
        with self.book(context) as book:
            if alarm := book.alarms.get(name):
                book.alarms[name] = replace(alarm, actions_enabled=enabled)

    def evaluate(self) -> None:
        """Evaluate every metric alarm for which a period has ended."""
        for condition in self._conditions():
            self._sample(condition)
        with self._lock:
            for book in self._books:
                for alarm, condition in book.metric_alarms():
                    self._evaluate(book, alarm, condition)

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether all events and actions were sent within `timeout` real seconds."""
        return self._work.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget all alarms and what was not sent."""
        with self._lock:
            self._books.clear()
            self._evaluator.clear()
        self._work.reset()

    def close(self) -> None:
        """Evaluate and send nothing more."""
        self._pacemaker.close()
        self._work.close()

    def _round(self) -> float | None:
        """Evaluate; real seconds until the next round, None if there is nothing to evaluate."""
        self.evaluate()
        steps = [self._evaluator.step(condition) for condition in self._conditions()]
        return min(max(min(steps) / 2, SHORTEST_PACE_SECONDS), LONGEST_PACE_SECONDS) if steps else None

    def _conditions(self) -> list[MetricCondition]:
        with self._lock:
            return [condition for book in self._books for _, condition in book.metric_alarms()]

    def _evaluate(self, book: AlarmBook, alarm: Alarm, condition: MetricCondition) -> None:
        try:
            state = self._evaluator.next_state(alarm, condition)
        except ExpressionError as error:
            _log.warning("the alarm %s cannot be evaluated: %s", alarm.name, error)
            return
        if state is not None:
            self._move(book, alarm, state)

    def _move(self, book: AlarmBook, alarm: Alarm, state: AlarmState, *, children: tuple[Alarm, ...] = ()) -> None:
        """Put an alarm into a state; if it is another one, tell it, and let composite alarms follow."""
        moved = book.alarms[alarm.name] = replace(alarm, state=state)
        if state.value is alarm.state.value:
            return
        transition = Transition(moved, alarm.state, children)
        book.note_transition(transition)
        self._work.submit(partial(self._announce, transition))
        if not children:
            self._follow_all(book, moved)

    def _follow_all(self, book: AlarmBook, moved: Alarm) -> None:
        """Composite alarms above an alarm, level by level; rules that go round in a circle end after one round each."""
        waiting = deque([moved.name])
        for _ in range(len(book.alarms) + 1):
            if not waiting:
                return
            triggering = book.alarms[waiting.popleft()]
            for parent in book.parents(triggering.name):
                before = parent.state.value
                self._follow(book, parent.name, triggering=triggering)
                if book.alarms[parent.name].state.value is not before:
                    waiting.append(parent.name)

    def _follow(self, book: AlarmBook, name: str, *, triggering: Alarm | None) -> None:
        """Put a composite alarm into the state that its rule means; a metric alarm has none."""
        alarm = book.alarms[name]
        if isinstance(alarm.condition, MetricCondition):
            return
        value = State.ALARM if holds(alarm.condition, lambda given: _state_in(book, given)) else State.OK
        if value is alarm.state.value:
            return
        children = (triggering,) if triggering else ()
        now = self._clock.now()
        reason = composite_reason(alarm, triggering, value)
        self._move(book, alarm, AlarmState(value, reason, composite_reason_data(children), now, now), children=children)

    def _announce(self, transition: Transition) -> None:
        alarm = transition.alarm
        self._events.emit(
            account=alarm.account,
            region=alarm.region,
            source=EVENT_SOURCE,
            detail_type=STATE_CHANGE,
            detail=event_detail(transition),
            resources=[alarm.arn],
        )
        for arn in alarm.actions(alarm.state.value):
            problem = self._problem_of_action(arn, transition)
            with self.book(RequestContext(alarm.account, alarm.region)) as book:
                book.note_action(transition, arn, problem=problem, now=self._clock.now())

    def _problem_of_action(self, arn: str, transition: Transition) -> str | None:
        try:
            self._actions.call(arn, transition)
        except (ActionError, LocalCloudError) as error:
            _log.warning("the action %s of the alarm %s failed: %s", arn, transition.alarm.name, error)
            return str(error)
        return None


def new_alarm(
    context: RequestContext,
    *,
    settings: Mapping[str, Any],
    condition: MetricCondition | Rule,
    actions_enabled: bool,
    clock: Clock,
) -> Alarm:
    """An alarm that was never evaluated."""
    now, name = clock.now(), settings["AlarmName"]
    return Alarm(
        name=name,
        arn=f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}",
        settings=settings,
        condition=condition,
        state=AlarmState(State.INSUFFICIENT_DATA, INITIAL_REASON, None, now, now),
        configured=now,
        actions_enabled=actions_enabled,
    )


def _state_in(book: AlarmBook, given: str) -> State:
    alarm = book.alarms.get(alarm_name(given))
    return alarm.state.value if alarm else State.INSUFFICIENT_DATA
