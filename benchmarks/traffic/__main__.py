"""`python -m benchmarks.traffic`: a minute of steady load on an endpoint that is updated, rolled back and killed.

Every request goes through the local cloud's SageMaker runtime to a real server process. What counts is that none
fails and who answered; latencies depend on what else the machine does. Ends with 1 if something asked for is missing.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cloud import local_cloud
from benchmarks.measure import ROOT, BenchmarkError
from benchmarks.traffic.capture_cost import CaptureCost, measure_capture
from benchmarks.traffic.checks import Check, Phase, check, phases
from benchmarks.traffic.hosting import OLD, TrafficHosting, make_models, request_body
from benchmarks.traffic.scenario import ENDPOINT, Minute, run_minute
from demo.errors import DemoError

_CAPTURE_SECONDS, _CAPTURE_ROUNDS = 2.0, 10


def _table(found: Sequence[Phase]) -> str:
    lines = ["| from s | seconds | requests | new version: configured % | measured % |", "|---|---|---|---|---|"]
    for phase in found:
        cells = (
            f"{phase.began:.1f}",
            f"{phase.seconds:.1f}",
            f"{phase.requests:,}",
            f"{phase.configured:.0f}",
            f"{phase.measured:.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _verdicts(checks: Sequence[Check]) -> list[str]:
    return [f"- {item.asked}: {item.found}: {'reached' if item.holds else 'MISSED'}" for item in checks]


def _latencies(minute: Minute) -> str:
    seconds = [reply.answered - reply.sent for reply in minute.replies]
    cuts = statistics.quantiles(seconds, n=100)
    return f"- latency: p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.0f} ms, at most {max(seconds):.2f} s"


def _cost(cost: CaptureCost) -> str:
    times = f"{cost.captured * 1e3:.2f} ms with it, {cost.uncaptured * 1e3:.2f} ms without"
    return f"- capture of every request, p50: {times}, {cost.ratio:.3f}x"


def _run(folder: Path, *, rate: float, seconds: float) -> bool:
    archives = make_models(folder, python=ROOT / ".runtime" / "current" / "bin" / "python")
    body = request_body(archives[OLD])
    with local_cloud(folder) as cloud:
        hosting = TrafficHosting(cloud)
        hosting.prepare(archives)
        minute = run_minute(hosting, body=body, rate=rate, seconds=seconds)
        events, torn = hosting.captured(ENDPOINT)
        checks = check(minute, events=events, torn=torn)
        print(_table(phases(minute)), "", *_verdicts(checks), _latencies(minute), sep="\n", flush=True)
        print(_cost(measure_capture(hosting, body=body, rate=rate, seconds=_CAPTURE_SECONDS, rounds=_CAPTURE_ROUNDS)))
    return all(item.holds for item in checks)


def main() -> int:
    """Print the phases and what was asked for; 1 if it was missed, or with the reason if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traffic", description=__doc__)
    parser.add_argument("--rate", type=float, default=60.0, help="requests per second (default 60)")
    parser.add_argument("--seconds", type=float, default=60.0, help="least length of the load (default 60)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="cd4ml-traffic-") as folder:
            return 0 if _run(Path(folder), rate=arguments.rate, seconds=arguments.seconds) else 1
    except (BenchmarkError, DemoError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
