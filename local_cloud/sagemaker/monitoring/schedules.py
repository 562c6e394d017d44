"""Monitoring schedules: Create, Describe, Update, Start, Stop, Delete, List.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMonitoringSchedule.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from local_cloud.clock import Clock
from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.monitoring.book import MonitoringBook, MonitoringSchedule, in_use
from local_cloud.sagemaker.monitoring.executions import summary
from local_cloud.sagemaker.monitoring.job import MonitoringJob, from_definition, from_inline
from local_cloud.sagemaker.monitoring.runs import Run, Runs
from local_cloud.sagemaker.monitoring.windows import DELAY, Delayed, pace_of, window_of
from local_cloud.sagemaker.resources import arn, present
from local_cloud.sagemaker.tags import Tags
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Operation, RequestContext, ServiceError, invalid
from local_cloud.stores import Partitioned

_RESOURCE = "monitoring-schedule"
_SORT_KEYS: Mapping[str, Callable[[MonitoringSchedule], Any]] = {
    "Name": lambda schedule: schedule.name,
    "CreationTime": lambda schedule: schedule.created,
    "Status": lambda schedule: schedule.status,
}
_NOTE = (
    "Waiting times and analysis windows are multiplied by the scale of the clock: at 0.01, an hourly schedule runs "
    "every 36 s on the 36 s before. A run starts 10 minutes after the hour (AWS: up to 20), and is left out while the "
    "one before is still in progress. Labels are merged by the engine, not by a processing job of their own. Scheduled "
    "at once, never Pending."
)


class MonitoringSchedules:
    """The API of monitoring schedules; each that is not stopped has an entry in the timetable."""

    def __init__(
        self, books: Partitioned[MonitoringBook], *, clock: Clock, timetable: Timetable, runs: Runs, tags: Tags
    ) -> None:
        self._books = books
        self._clock = clock
        self._timetable = timetable
        self._runs = runs
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateMonitoringSchedule": Operation(self._create, note=_NOTE),
            "DescribeMonitoringSchedule": Operation(self._describe),
            "UpdateMonitoringSchedule": Operation(self._update, note="The schedule begins anew."),
            "StartMonitoringSchedule": Operation(self._start),
            "StopMonitoringSchedule": Operation(self._stop, note="An execution in progress goes on."),
            "DeleteMonitoringSchedule": Operation(self._delete, note="Its executions go with it, its jobs stay."),
            "ListMonitoringSchedules": Operation(self._list),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        name, book, now = params["MonitoringScheduleName"], self._books.of(context), self._clock.now()
        config = params["MonitoringScheduleConfig"]
        schedule = MonitoringSchedule(name, arn(context, _RESOURCE, name), now, now, config)
        with book.lock:
            if name.lower() in book.schedules:
                raise in_use(schedule.arn)
            self._check(book, schedule)
            self._tags.put(schedule.arn, params.get("Tags"))
            self._enter(context, book, schedule)
        return {"MonitoringScheduleArn": schedule.arn}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = book.schedule(params["MonitoringScheduleName"])
            changed = replace(known, config=params["MonitoringScheduleConfig"], modified=self._clock.now())
            self._check(book, changed)
            self._enter(context, book, changed)
        return {"MonitoringScheduleArn": known.arn}

    def _start(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = book.schedule(params["MonitoringScheduleName"])
            if known.stopped:
                self._enter(context, book, replace(known, stopped=False, modified=self._clock.now()))
        return {}

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = book.schedule(params["MonitoringScheduleName"])
            self._enter(context, book, replace(known, stopped=True, modified=self._clock.now()))
        return {}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = book.schedule(params["MonitoringScheduleName"])
            self._timetable.remove(known.arn)
            del book.schedules[known.name.lower()]
            book.executions.pop(known.name.lower(), None)
        self._tags.drop(known.arn)
        return {}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            schedule = book.schedule(params["MonitoringScheduleName"])
            runs = book.runs(schedule.name)
            listed = self._listed(book, schedule)
        last = summary(schedule.name, runs[-1]) if runs else None
        shown = {name: value for name, value in listed.items() if name != "MonitoringJobDefinitionName"}
        return present({**shown, "MonitoringScheduleConfig": schedule.config, "LastMonitoringExecutionSummary": last})

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = [(schedule, self._listed(book, schedule)) for schedule in book.schedules.values()]
        wanted = [(schedule, listed) for schedule, listed in known if _matches(schedule, listed, params)]
        key = _SORT_KEYS[params.get("SortBy", "CreationTime")]
        ordered = sort(wanted, key=lambda pair: key(pair[0]), order=params.get("SortOrder"), default="Descending")
        found, more = page(ordered, params, identity=lambda pair: pair[0].arn)
        return {"MonitoringScheduleSummaries": [listed for _, listed in found], **more}

    def _listed(self, book: MonitoringBook, schedule: MonitoringSchedule) -> dict[str, Any]:
        config = schedule.config
        return present(
            {
                "MonitoringScheduleName": schedule.name,
                "MonitoringScheduleArn": schedule.arn,
                "CreationTime": schedule.created,
                "LastModifiedTime": schedule.modified,
                "MonitoringScheduleStatus": schedule.status,
                "EndpointName": _endpoint(book, schedule),
                "MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName"),
                "MonitoringType": config.get("MonitoringType"),
            }
        )

    def _check(self, book: MonitoringBook, schedule: MonitoringSchedule) -> None:
        """Raise ValidationException or ResourceNotFound for a schedule that could not run."""
        timing = schedule.config.get("ScheduleConfig", {})
        job, pace = _job(book, schedule), pace_of(timing)
        window_of(timing, job.source, period=pace.period, due=schedule.created, scale=1)

    def _enter(self, context: RequestContext, book: MonitoringBook, schedule: MonitoringSchedule) -> None:
        """Store the schedule and put it into the timetable; one that is to run once runs now and is stopped."""
        pace = pace_of(schedule.config.get("ScheduleConfig", {}))
        once = pace.cron is None and not schedule.stopped
        book.schedules[schedule.name.lower()] = replace(schedule, stopped=schedule.stopped or once)
        self._timetable.remove(schedule.arn)
        if once:
            self._run(context, schedule, schedule.modified)
        elif pace.cron is not None and not schedule.stopped:
            fire = partial(self._fire, context, schedule.name)
            runs = Delayed(pace.cron, schedule.modified)
            self._timetable.put(schedule.arn, runs, fire, anchor=schedule.modified)

    def _fire(self, context: RequestContext, name: str, moment: datetime) -> None:
        book, due = self._books.of(context), moment - DELAY * self._timetable.scale
        with book.lock:
            schedule = book.schedules.get(name.lower())
            if schedule is None or schedule.stopped:
                return
            try:
                self._run(context, schedule, due)
            except ServiceError as error:
                # Its job definition was deleted meanwhile.
                self._runs.note_failure(book, schedule, due, str(error))

    def _run(self, context: RequestContext, schedule: MonitoringSchedule, due: datetime) -> None:
        book, timing = self._books.of(context), schedule.config.get("ScheduleConfig", {})
        job = _job(book, schedule)
        period = pace_of(timing).period
        window = window_of(timing, job.source, period=period, due=due, scale=self._timetable.scale)
        self._runs.begin(context, book, Run(schedule, job, window, due))


def _job(book: MonitoringBook, schedule: MonitoringSchedule) -> MonitoringJob:
    config = schedule.config
    name, kind, inline = (
        config.get(member) for member in ("MonitoringJobDefinitionName", "MonitoringType", "MonitoringJobDefinition")
    )
    if bool(name) == bool(inline):
        raise invalid("Give either MonitoringJobDefinitionName with MonitoringType, or MonitoringJobDefinition.")
    if inline:
        return from_inline(inline, kind)
    if not kind:
        raise invalid("MonitoringType is required with MonitoringJobDefinitionName.")
    return from_definition(book.definition(kind, str(name)))


def _endpoint(book: MonitoringBook, schedule: MonitoringSchedule) -> str | None:
    """The endpoint of a schedule, if its job definition still exists."""
    config = schedule.config
    kind, name = config.get("MonitoringType"), config.get("MonitoringJobDefinitionName")
    if name and (kind, name.lower()) not in book.definitions:
        return None
    return _job(book, schedule).endpoint


def _matches(schedule: MonitoringSchedule, listed: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    equal = {
        "EndpointName": "EndpointName",
        "StatusEquals": "MonitoringScheduleStatus",
        "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
        "MonitoringTypeEquals": "MonitoringType",
    }
    return (
        params.get("NameContains", "").lower() in schedule.name.lower()
        and all(params[name] == listed.get(member) for name, member in equal.items() if name in params)
        and within(schedule.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
        and within(
            schedule.modified, after=params.get("LastModifiedTimeAfter"), before=params.get("LastModifiedTimeBefore")
        )
    )
