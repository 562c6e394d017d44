"""Decides whether the loop trains now: one training at a time, on data that the live version has not learned from.

With the answers "train" and "attend" the lock is held by the asking execution, which has to free it whatever happens.
Must not start anything.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.decide_retraining.trainings import Training, Trainings
from lambdas.decide_retraining.trigger import Reason, Trigger
from lambdas.shared.champion_search import ChampionSearch
from lambdas.shared.events import Event, EventBus
from lambdas.shared.retraining_lock import LockState, RetrainingLock
from lambdas.shared.snapshots import Snapshot, Snapshots

# People and calendars may ask at any time; a monitor asks in every window for as long as it finds the same.
_WAITS_FOR_COOLDOWN = frozenset({Reason.VIOLATION, Reason.SCHEDULE})
# A violation that nothing can answer comes back with every window, until somebody has acted.
_REMIND_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """See `config.monitoring_settings.RetrainingSettings`."""

    cooldown: timedelta
    minimum_new_rows: int


@dataclass(frozen=True, slots=True)
class Skip(Exception):
    """There will be no training; `somebody_acts` says that nothing will change without a person."""

    why: str
    somebody_acts: bool = False


@dataclass(frozen=True, slots=True)
class Retraining:
    """What the function works with. `states` is a boto3 client."""

    states: Any
    trainings: Trainings
    lock: RetrainingLock
    snapshots: Snapshots
    champions: ChampionSearch
    bus: EventBus
    limits: Limits
    subject: dict[str, str]

    def decide(self, trigger: Trigger, *, execution: str, now: datetime) -> dict[str, Any]:
        """{"decision": "train" or "attend", "reason", "snapshot"} with the lock, or {"decision": "skip", "reason"}.

        "attend" comes with the "training" that is under way while no loop waits for its end: the asking one does, so
        that newer data is looked at afterwards. A skip is announced, so that a violation that nothing can answer
        reaches a person, but not in every window.
        """
        try:
            state = self.lock.read()
            self._no_other_loop(state, execution)
            found = self.trainings.under_way()
            answer = _attend(found) if found else self._train(trigger, state, now=now)
            if not self.lock.take(execution, seen=state, data_version=answer["snapshot"]["data_version"]):
                raise Skip("another execution of the loop was quicker")
        except Skip as skip:
            self._announce(trigger, skip, now=now)
            return {"decision": "skip", "reason": str(skip)}
        return answer

    def _train(self, trigger: Trigger, state: LockState, *, now: datetime) -> dict[str, Any]:
        snapshot = self._worth_training(trigger, state, now=now)
        return {"decision": "train", "reason": trigger.description, "snapshot": asdict(snapshot)}

    def _worth_training(self, trigger: Trigger, state: LockState, *, now: datetime) -> Snapshot:
        """The current snapshot, if there is reason to learn from it now; raises Skip otherwise."""
        snapshot = self.snapshots.current()
        if snapshot is None:
            raise Skip("there is no data yet: upload files below raw/ of the lake", somebody_acts=True)
        if trigger.reason is Reason.MANUAL:
            return snapshot
        if trigger.reason in _WAITS_FOR_COOLDOWN and state.last_ended:
            ready = state.last_ended + self.limits.cooldown
            if now < ready:
                raise Skip(
                    f"the last training ended at {state.last_ended.isoformat()}: nothing before {ready.isoformat()}"
                )
        last = self.trainings.last()
        if snapshot.data_version in (state.last_data_version, last.data_version if last else None):
            raise Skip(
                f"the last training was on the same data, version {snapshot.data_version}; the loop trains as soon as "
                "newer data is admitted; if the candidate of that training still waits, decide about it",
                somebody_acts=trigger.reason is Reason.VIOLATION,
            )
        self._has_new_rows(trigger, snapshot)
        return snapshot

    def _has_new_rows(self, trigger: Trigger, snapshot: Snapshot) -> None:
        champion = self.champions.find()
        known = champion.properties.get("data_version") if champion else None
        rows = self.snapshots.rows(known) if known else None
        if rows is None:
            return
        new = snapshot.rows - rows
        if snapshot.data_version == known or new < self.limits.minimum_new_rows:
            raise Skip(
                f"the newest data has {max(new, 0)} rows that the champion has not learned from, "
                f"{self.limits.minimum_new_rows} are needed; add labelled data",
                somebody_acts=trigger.reason is Reason.VIOLATION,
            )

    def _no_other_loop(self, state: LockState, execution: str) -> None:
        if state.holder and state.holder != execution and self._runs(state.holder):
            raise Skip(f"a training is under way already: {state.holder}")

    def _runs(self, holder: str) -> bool:
        """Whether a holder still runs: one that was killed could not free the lock."""
        try:
            answer = self.states.describe_execution(executionArn=holder)
        except self.states.exceptions.ExecutionDoesNotExist:
            return False
        return bool(answer["status"] == "RUNNING")

    def _announce(self, trigger: Trigger, skip: Skip, *, now: datetime) -> None:
        detail = {
            **self.subject,
            "reason": str(trigger.reason),
            "description": trigger.description,
            "why": str(skip),
            "somebodyActs": skip.somebody_acts and self.lock.remind(now=now, since=now - _REMIND_AFTER),
        }
        self.bus.send(Event("Retraining Skipped", detail))


def _attend(training: Training) -> dict[str, Any]:
    """The answer where a training goes on that no loop waits for: its own was killed, or a person started it."""
    return {
        "decision": "attend",
        "reason": training.description,
        "training": training.arn,
        "snapshot": {"data_version": training.data_version},
    }
