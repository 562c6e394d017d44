"""What data capture costs a caller: the same model and the same load with and without it, in turn."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.measure import BenchmarkError
from benchmarks.traffic.client import SteadyLoad
from benchmarks.traffic.hosting import OLD, TrafficHosting, uncaptured

_CAPTURED, _UNCAPTURED = "captured", "uncaptured"


@dataclass(frozen=True)
class CaptureCost:
    """Seconds: medians, over the rounds, of the median latency; `ratio` is the median of the rounds' own ratios."""

    captured: float
    uncaptured: float
    ratio: float


def measure_capture(hosting: TrafficHosting, *, body: bytes, rate: float, seconds: float, rounds: int) -> CaptureCost:
    """Rounds of two windows of `seconds` each, the order changing from round to round."""
    configs = {_CAPTURED: OLD, _UNCAPTURED: uncaptured(OLD)}
    for endpoint, config in configs.items():
        hosting.create(endpoint, config)
    measured: list[Mapping[str, float]] = []
    for number in range(rounds):
        order = sorted(configs, reverse=bool(number % 2))
        measured.append({endpoint: _p50(hosting, endpoint, body, rate=rate, seconds=seconds) for endpoint in order})
    return CaptureCost(
        captured=statistics.median(window[_CAPTURED] for window in measured),
        uncaptured=statistics.median(window[_UNCAPTURED] for window in measured),
        ratio=statistics.median(window[_CAPTURED] / window[_UNCAPTURED] for window in measured),
    )


def _p50(hosting: TrafficHosting, endpoint: str, body: bytes, *, rate: float, seconds: float) -> float:
    with SteadyLoad(hosting.cloud, endpoint, body=body, rate=rate) as load:
        load.run_for(seconds)
    if any(reply.status != 200 for reply in load.replies):
        raise BenchmarkError(f"requests to endpoint {endpoint} failed")
    return statistics.median(reply.answered - reply.sent for reply in load.replies)
