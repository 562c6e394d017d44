"""Schedules: Create, Get, Update, Delete, List; each enabled one has an entry in the timetable.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.scheduler.book import DEFAULT_GROUP, Schedule, ScheduleBook, conflict, group_arn, schedule_arn
from local_cloud.scheduler.expressions import Once
from local_cloud.scheduler.invocation import PRINCIPAL, SESSION, Invocation, Invoker
from local_cloud.scheduler.paging import page
from local_cloud.scheduler.settings import TIMING, check_start, occurrences, settings_of
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

_ONE_TIME_GRACE = timedelta(seconds=60)
_INSTANT = timedelta(microseconds=1)
_NOTE = (
    "Waiting times are multiplied by the scale of the clock: at 0.01, rate(1 hour) runs every 36 s, and a cron "
    "expression after a hundredth of the time to its next moments; aws.scheduler.scheduled-time is the real moment. "
    "A failed call is tried 10 times at most. KmsKeyArn is recorded only."
)


class Schedules:
    """The API of schedules."""

    def __init__(
        self,
        books: Partitioned[ScheduleBook],
        *,
        clients: Clients,
        clock: Clock,
        timetable: Timetable,
        invoker: Invoker,
    ) -> None:
        self._books = books
        self._clients = clients
        self._clock = clock
        self._timetable = timetable
        self._invoker = invoker

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateSchedule": Operation(self._create, note=_NOTE),
            "GetSchedule": Operation(self._get),
            "UpdateSchedule": Operation(self._update, note="A change of the timing begins the schedule anew."),
            "DeleteSchedule": Operation(self._delete),
            "ListSchedules": Operation(self._list),
        }

    def remove(self, context: RequestContext, schedule: Schedule) -> None:
        """Delete a schedule; nothing happens if it is gone or replaced."""
        book = self._books.of(context)
        with book.lock:
            if book.schedules.get((schedule.group, schedule.name)) is schedule:
                del book.schedules[schedule.group, schedule.name]
                self._timetable.remove(schedule.arn)

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        settings, now = settings_of(params), self._clock.now()
        check_start(settings, now)
        name, group = params["Name"], params.get("GroupName", DEFAULT_GROUP)
        schedule = Schedule(name, group, schedule_arn(context, group, name), settings, now, now)
        occurrences(settings, now=now)
        book = self._books.of(context)
        book.check_group(group)
        self._check_role(context, schedule)
        with book.lock:
            book.check_group(group)
            if (group, name) in book.schedules:
                raise conflict(f"Schedule {name} already exists.")
            book.schedules[group, name] = schedule
            self._enter(context, schedule)
        return {"ScheduleArn": schedule.arn}

    def _get(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        schedule = self._find(context, params)
        return {**_summary(schedule), **schedule.settings}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        settings, now = settings_of(params), self._clock.now()
        before = self._find(context, params)
        after = replace(before, settings=settings, modified=now)
        occurrences(settings, now=now)
        self._check_role(context, after)
        book = self._books.of(context)
        with book.lock:
            book.schedule(before.group, before.name)
            book.schedules[before.group, before.name] = after
            if any(before.settings.get(name) != settings.get(name) for name in TIMING):
                self._enter(context, after)
        return {"ScheduleArn": after.arn}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        with self._books.of(context).lock:
            self.remove(context, self._find(context, params))
        return {}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = sorted(book.schedules.values(), key=lambda schedule: (schedule.group, schedule.name))
        wanted = [
            schedule
            for schedule in known
            if schedule.group == params.get("GroupName", schedule.group)
            and schedule.name.startswith(params.get("NamePrefix", ""))
            and schedule.settings["State"] == params.get("State", schedule.settings["State"])
        ]
        found, more = page(wanted, params, identity=lambda schedule: schedule.arn)
        return {"Schedules": [_listed(schedule) for schedule in found], **more}

    def _find(self, context: RequestContext, params: Mapping[str, Any]) -> Schedule:
        book, group = self._books.of(context), params.get("GroupName", DEFAULT_GROUP)
        with book.lock:
            book.check_group(group)
            return book.schedule(group, params["Name"])

    def _check_role(self, context: RequestContext, schedule: Schedule) -> None:
        try:
            self._clients.role_credentials(
                schedule.settings["Target"]["RoleArn"],
                principal=PRINCIPAL,
                session_name=SESSION,
                region=context.region,
                source_arn=group_arn(context, schedule.group),
            )
        except ClientError as error:
            raise invalid(
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role. "
                f"({error.response['Error'].get('Message', '')})"
            ) from error

    def _enter(self, context: RequestContext, schedule: Schedule) -> None:
        """Put a schedule into the timetable; a rate without a StartDate begins at once, as on AWS."""
        if not schedule.enabled:
            self._timetable.remove(schedule.arn)
            return
        found, now = occurrences(schedule.settings, now=schedule.modified), schedule.modified
        grace = _ONE_TIME_GRACE if isinstance(found, Once) else _INSTANT
        fire = partial(self._fire, context, schedule.group, schedule.name)
        self._timetable.put(schedule.arn, found, fire, anchor=now, grace=grace)

    def _fire(self, context: RequestContext, group: str, name: str, due: datetime) -> None:
        book = self._books.of(context)
        with book.lock:
            schedule = book.schedules.get((group, name))
        if schedule is None or not schedule.enabled:
            return
        ends = self._timetable.next_due(schedule.arn) is None
        ends = ends and schedule.settings["ActionAfterCompletion"] == "DELETE"
        window = int(schedule.settings["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)) * 60
        invocation = Invocation(
            schedule_arn=schedule.arn,
            group_arn=group_arn(context, group),
            account=context.account,
            region=context.region,
            target=schedule.settings["Target"],
            scheduled_time=due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            done=partial(self.remove, context, schedule) if ends else _nothing,
        )
        delay = secrets.randbelow(window * 1000) / 1000 * self._clock.scale if window else 0.0
        self._invoker.start(invocation, delay_seconds=delay)


def _nothing() -> None:
    """What follows an invocation that is not the last one."""


def _summary(schedule: Schedule) -> dict[str, Any]:
    return {
        "Arn": schedule.arn,
        "Name": schedule.name,
        "GroupName": schedule.group,
        "CreationDate": schedule.created,
        "LastModificationDate": schedule.modified,
    }


def _listed(schedule: Schedule) -> dict[str, Any]:
    target = {"Arn": schedule.settings["Target"]["Arn"]}
    return {**_summary(schedule), "State": schedule.settings["State"], "Target": target}
