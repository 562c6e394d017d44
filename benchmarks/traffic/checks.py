"""What a minute of traffic has to show, from the replies, the endpoint's own history and the captured events."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.traffic.client import Reply
from benchmarks.traffic.hosting import NEW, VARIANT
from benchmarks.traffic.scenario import Minute

MOST_POINTS = 3.0
# Below this, one request is more than a point.
_LEAST_REQUESTS = 100


@dataclass(frozen=True)
class Phase:
    """A time in which the share of the new version was the same; shares are per cent of the requests."""

    began: float
    seconds: float
    requests: int
    configured: float
    measured: float

    @property
    def points(self) -> float:
        """How far the measured share is from the configured one, in percentage points."""
        return abs(self.measured - self.configured)


@dataclass(frozen=True)
class Check:
    """One thing that was asked for, and what was found instead if it is not so."""

    asked: str
    found: str
    holds: bool


def phases(minute: Minute) -> list[Phase]:
    """All phases with enough requests that were routed, and answered, within them."""
    first, last = min(reply.sent for reply in minute.replies), max(reply.answered for reply in minute.replies)
    moments = [
        (datetime.fromisoformat(change["time"]).timestamp(), change["traffic"].get(NEW, 0.0))
        for change in minute.history
    ]
    # A status may change without the traffic: one phase.
    begins = [next(group) for _, group in itertools.groupby(moments, key=lambda moment: moment[1])]
    ends = [moment for moment, _ in begins[1:]] + [last]
    found = []
    for (begin, share), end in zip(begins, ends, strict=True):
        within = [reply for reply in minute.replies if begin <= reply.sent and reply.answered <= end]
        if len(within) >= _LEAST_REQUESTS:
            new = sum(reply.body == minute.answers[NEW] for reply in within)
            began = max(begin, first)
            found.append(Phase(began - first, end - began, len(within), 100 * share, 100 * new / len(within)))
    return found


def check(minute: Minute, *, events: Sequence[Mapping[str, Any]], torn: int) -> list[Check]:
    """Everything that was asked for."""
    replies = minute.replies
    failed = Counter(f"{reply.status} {reply.body[:80].decode(errors='replace')}" for reply in _failed(replies))
    known = set(minute.answers.values())
    neither = sum(reply.body not in known or reply.variant != VARIANT for reply in replies if reply.status == 200)
    farthest = max((phase.points for phase in phases(minute)), default=100.0)
    return [
        Check("0 failed requests", f"{failed.total()} of {len(replies):,} {dict(failed) or ''}".strip(), not failed),
        Check("each answered by exactly one version", f"{neither} by neither", not neither),
        Check(
            f"share within {MOST_POINTS:g} points in each phase",
            f"{farthest:.2f} points at most",
            farthest <= MOST_POINTS,
        ),
        *_capture_checks(replies, events, torn),
    ]


def _capture_checks(replies: Sequence[Reply], events: Sequence[Mapping[str, Any]], torn: int) -> list[Check]:
    """Events are found by the inference id, which every request had for itself."""
    answered = {reply.id: reply.body.decode() for reply in replies if reply.status == 200}
    captured = Counter(event["eventMetadata"].get("inferenceId") for event in events)
    not_once = sum(captured[number] != 1 for number in answered)
    strange = sum(
        event["captureData"]["endpointOutput"]["data"] != answered[event["eventMetadata"]["inferenceId"]]
        for event in events
        if event["eventMetadata"].get("inferenceId") in answered
    )
    return [
        Check("each captured exactly once", f"{not_once} of {len(answered):,} are not", not not_once),
        Check("each event holds the caller's answer", f"{strange} do not", not strange),
        Check("no line torn", f"{torn} of {len(events):,}", not torn),
    ]


def _failed(replies: Sequence[Reply]) -> list[Reply]:
    return [reply for reply in replies if reply.status != 200]
