"""The schedules and schedule groups of one account and region."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_cloud.service import RequestContext, ServiceError

DEFAULT_GROUP = "default"


@dataclass(frozen=True)
class Schedule:
    """One schedule. `settings` is its Create or Update request with AWS's defaults in it, without name and group."""

    name: str
    group: str
    arn: str
    settings: Mapping[str, Any]
    created: datetime
    modified: datetime

    @property
    def enabled(self) -> bool:
        """Whether it runs."""
        return bool(self.settings["State"] == "ENABLED")


@dataclass(frozen=True)
class Group:
    """One schedule group; the default group was never created by anyone."""

    name: str
    arn: str
    created: datetime


class ScheduleBook:
    """What exists. Mutable: whoever reads or changes it holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.schedules: dict[tuple[str, str], Schedule] = {}
        self.groups: dict[str, Group] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def schedule(self, group: str, name: str) -> Schedule:
        """A schedule; raises ResourceNotFoundException."""
        found = self.schedules.get((group, name))
        if found is None:
            raise not_found(f"Schedule {name} does not exist.")
        return found

    def check_group(self, name: str) -> None:
        """Raises ResourceNotFoundException for a group that does not exist."""
        if name != DEFAULT_GROUP and name not in self.groups:
            raise not_found(f"Schedule group {name} does not exist.")


def schedule_arn(context: RequestContext, group: str, name: str) -> str:
    """The ARN of a schedule."""
    return f"arn:aws:scheduler:{context.region}:{context.account}:schedule/{group}/{name}"


def group_arn(context: RequestContext, name: str) -> str:
    """The ARN of a schedule group."""
    return f"arn:aws:scheduler:{context.region}:{context.account}:schedule-group/{name}"


def not_found(message: str) -> ServiceError:
    """Scheduler's error for what does not exist."""
    return ServiceError("ResourceNotFoundException", message, status=404)


def conflict(message: str) -> ServiceError:
    """Scheduler's error for what exists already."""
    return ServiceError("ConflictException", message, status=409)
