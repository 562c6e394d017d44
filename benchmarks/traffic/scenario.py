"""One minute in the life of an endpoint: a canary, a linear shift, a rollback and crashes, all under the same load."""

import time
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import BenchmarkError
from benchmarks.traffic.client import Reply, SteadyLoad
from benchmarks.traffic.hosting import NEW, OLD, TrafficHosting

ENDPOINT = "traffic"
_STEADY_SECONDS = 4
_CANARY_PERCENT, _CANARY_WAIT = 10, 1000  # waits are seconds of cloud time, a hundredth of that here
_LINEAR_PERCENT, _LINEAR_WAIT = 25, 400
_ROLLBACK_PERCENT, _ROLLBACK_SECONDS = 20, 6
_TERMINATION_WAIT = 200
_CRASHES, _AFTER_CRASH_SECONDS = 3, 2


@dataclass(frozen=True)
class Minute:
    """What callers saw, what the endpoint says of itself, and each version's own answer to the request."""

    replies: list[Reply]
    history: list[dict[str, Any]]
    answers: dict[str, bytes]


def run_minute(hosting: TrafficHosting, *, body: bytes, rate: float, seconds: float) -> Minute:
    """Run it all in at least `seconds` seconds; BenchmarkError if the endpoint does not do what it is told."""
    answers = _answers(hosting, body)
    started = time.monotonic()
    with SteadyLoad(hosting.cloud, ENDPOINT, body=body, rate=rate) as load:
        load.run_for(_STEADY_SECONDS)
        _shift(hosting, NEW, "CANARY", wait=_CANARY_WAIT, size=_CANARY_PERCENT)
        _shift(hosting, OLD, "LINEAR", wait=_LINEAR_WAIT, size=_LINEAR_PERCENT)
        _roll_back(hosting, load)
        for _ in range(_CRASHES):
            hosting.crash(ENDPOINT)
            load.run_for(_AFTER_CRASH_SECONDS)
        load.run_for(seconds - (time.monotonic() - started))
    return Minute(load.replies, hosting.history(ENDPOINT), answers)


def _answers(hosting: TrafficHosting, body: bytes) -> dict[str, bytes]:
    """Each version's answer while it serves alone; the endpoint serves the old one afterwards."""
    answers = {}
    hosting.create(ENDPOINT, NEW)
    answers[NEW] = _ask(hosting, body)
    hosting.update(ENDPOINT, OLD, blue_green("ALL_AT_ONCE", wait=0))
    hosting.settled(ENDPOINT)
    answers[OLD] = _ask(hosting, body)
    if answers[NEW] == answers[OLD]:
        raise BenchmarkError("both versions give the same answer, so nobody can tell which of them answered")
    return answers


def _ask(hosting: TrafficHosting, body: bytes) -> bytes:
    with SteadyLoad(hosting.cloud, ENDPOINT, body=body, rate=1, name="single") as load:
        load.run_for(0.1)
    (reply,) = load.replies
    if reply.status != 200:
        raise BenchmarkError(f"the endpoint answers {reply.status}: {reply.body.decode(errors='replace')}")
    return reply.body


def _shift(hosting: TrafficHosting, version: str, kind: str, *, wait: int, size: int) -> None:
    hosting.update(ENDPOINT, version, blue_green(kind, wait=wait, size=size))
    if hosting.settled(ENDPOINT) != version:
        raise BenchmarkError(f"the {kind} shift was rolled back: {hosting.history(ENDPOINT)[-1]['note']}")


def _roll_back(hosting: TrafficHosting, load: SteadyLoad) -> None:
    hosting.update(ENDPOINT, NEW, blue_green("CANARY", wait=3600, size=_ROLLBACK_PERCENT))
    hosting.await_share(ENDPOINT, NEW, _ROLLBACK_PERCENT / 100)
    load.run_for(_ROLLBACK_SECONDS)
    hosting.raise_alarm()
    if hosting.settled(ENDPOINT) != OLD:
        raise BenchmarkError("the alarm did not roll the update back")


def blue_green(kind: str, *, wait: int, size: int | None = None) -> dict[str, Any]:
    """A DeploymentConfig whose steps are of `size` per cent, with the alarm `quality`."""
    routing: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": wait}
    if size is not None:
        member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}[kind]
        routing[member] = {"Type": "CAPACITY_PERCENT", "Value": size}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": _TERMINATION_WAIT}
    return {
        "BlueGreenUpdatePolicy": policy,
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "quality"}]},
    }
