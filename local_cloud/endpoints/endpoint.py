"""One endpoint: what it is, what serves in it, and every change of it.

It holds state and tells listeners; it starts, shifts and stops nothing (`rollout.py` does).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from local_cloud.clock import Clock
from local_cloud.endpoints.fleet import Fleet
from local_cloud.endpoints.routing import Router

_HISTORY_ENTRIES = 1000


class EndpointStatus(StrEnum):
    """The states that are reached here, of those that AWS has."""

    CREATING = "Creating"
    UPDATING = "Updating"
    IN_SERVICE = "InService"
    ROLLING_BACK = "RollingBack"
    DELETING = "Deleting"
    FAILED = "Failed"


SETTLED = (EndpointStatus.IN_SERVICE, EndpointStatus.FAILED)


@dataclass(frozen=True)
class Stage:
    """What an endpoint's pending deployment does (VariantStatus)."""

    status: str
    message: str
    started: datetime


@dataclass(frozen=True)
class Pending:
    """A deployment that is under way: the fleet that is to serve, and the stage it has reached."""

    fleet: Fleet
    started: datetime
    stage: Stage
    share: float = 0.0


@dataclass(frozen=True)
class Change:
    """One entry of the endpoint's history. `traffic` is the share of each configuration, 0 to 1."""

    time: datetime
    status: str
    note: str
    traffic: Mapping[str, float]


class Endpoint:
    """Mutable and thread-safe. `on_status` and `on_stage` are told after each change of the status or the stage."""

    def __init__(
        self,
        *,
        account: str,
        region: str,
        name: str,
        arn: str,
        config_name: str,
        deployment_config: Mapping[str, Any] | None,
        clock: Clock,
        on_status: Callable[["Endpoint"], None],
        on_stage: Callable[["Endpoint"], None],
    ) -> None:
        self.account = account
        self.region = region
        self.name = name
        self.arn = arn
        self.created = self.modified = clock.now()
        self.config_name = config_name
        self.deployment_config = deployment_config
        self.status = EndpointStatus.CREATING
        self.failure_reason: str | None = None
        self.fleet: Fleet | None = None
        self.pending: Pending | None = None
        self.router = Router()
        self.abandoned = threading.Event()
        self._clock = clock
        self._on_status = on_status
        self._on_stage = on_stage
        self._history: deque[Change] = deque(maxlen=_HISTORY_ENTRIES)

    @property
    def history(self) -> list[Change]:
        """The latest changes, oldest first."""
        return list(self._history)

    @property
    def fleets(self) -> list[Fleet]:
        """What has servers: the fleet that serves, then the one that is to."""
        pending = self.pending
        return [fleet for fleet in (self.fleet, pending.fleet if pending else None) if fleet is not None]

    def enter(self, status: EndpointStatus, *, note: str = "", failure_reason: str | None = None) -> None:
        """Take a status. The note goes into the history only: SageMaker itself rolls back without a word."""
        self.modified = self._clock.now()
        self.failure_reason = failure_reason
        self.status = status
        self._remember(note or failure_reason or "")
        self._on_status(self)

    def begin(self, fleet: Fleet) -> None:
        """A deployment begins; nothing of it serves yet."""
        instances = sum(spec.instance_count for spec in fleet.specs)
        now = self._clock.now()
        self.pending = Pending(fleet, now, Stage("Creating", f"Launching {instances} instance(s).", now))

    def reach(self, stage: str, message: str, *, share: float) -> None:
        """The pending deployment reaches a stage, with `share` of the traffic on its fleet."""
        if self.pending is None:
            raise ValueError(f"{self.name} has no deployment under way")
        now = self._clock.now()
        self.pending = Pending(self.pending.fleet, self.pending.started, Stage(stage, message, now), share)
        self.modified = now
        self._remember(message)
        self._on_stage(self)

    def settle(self, fleet: Fleet) -> None:
        """This fleet serves from now on; nothing is pending."""
        self.fleet = fleet
        self.config_name = fleet.config_name
        self.pending = None

    def _remember(self, note: str) -> None:
        self._history.append(Change(self._clock.now(), str(self.status), note, self._traffic()))

    def _traffic(self) -> dict[str, float]:
        traffic: dict[str, float] = {}
        share = self.pending.share if self.pending else 0.0
        if self.fleet is not None:
            traffic[self.fleet.config_name] = round(1.0 - share, 6)
        if self.pending is not None:
            traffic[self.pending.fleet.config_name] = round(share, 6)
        return traffic
