"""`python -m benchmarks.serving`: our model server beside SageMaker's own serving stack, in one run.

What is compared is CPU time per request (all processes of a server), which does not depend on what else the machine
does; latencies do. Everything runs on 127.0.0.1: what a caller of SageMaker sees has the service's own time on top,
the same for all.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT, BenchmarkError
from benchmarks.serving.measurement import Result, free_port, measure_stacks, start_stack
from benchmarks.serving.models import make_models
from benchmarks.serving.peer_environment import nginx, peer_python
from benchmarks.serving.stacks import FLOOR, FRAMES, ONNX, OURS, Places

_FAMILIES = {"trees": "300 boosted trees of 31 leaves", "ridge": "ridge regression on one-hot columns"}
_ROWS = (1, 100)
# (peer, rows, least ratio of its CPU time to ours): what was asked for.
_TARGETS = ((FRAMES, 1, 100.0), (ONNX, 1, 6.0), (FRAMES, 100, 8.0))


def _table(results: Sequence[Result]) -> str:
    ours = next(result for result in results if result.stack == OURS)
    loads = [
        f"{rows} row{'s' * (rows > 1)}: {what}"
        for rows in _ROWS
        for what in ("CPU us", "x ours", "CPU us on 1 connection", "x ours", "p50 us", "p99 us")
    ]
    lines = ["| " + " | ".join(["server", *loads, "memory MB", "cold start s"]) + " |"]
    lines.append("|---" * (len(loads) + 3) + "|")
    for result in results:
        cells = [result.stack]
        for rows, load in result.loads.items():
            for cpu, least in ((load.cpu, ours.loads[rows].cpu), (load.cpu_alone, ours.loads[rows].cpu_alone)):
                cells += [f"{cpu * 1e6:,.0f}", f"{cpu / least:.3g}"]
            cells += [f"{load.p50 * 1e6:,.0f}", f"{load.p99 * 1e6:,.0f}"]
        cells += [f"{result.memory / 1e6:.0f}", f"{result.cold_start:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _verdicts(results: Sequence[Result]) -> list[str]:
    by_stack = {result.stack: result for result in results}
    lines = []
    for peer, rows, asked in _TARGETS:
        ratio = by_stack[peer].loads[rows].cpu / by_stack[OURS].loads[rows].cpu
        verdict = "reached" if ratio >= asked else "MISSED"
        lines.append(f"- {rows} row(s), {peer}: {ratio:.1f}x our CPU time, asked for >= {asked:g}x: {verdict}")
    return lines


def _measure(family: str, folder: Path, *, seconds: float, rounds: int) -> list[Result]:
    ours, peer = ROOT / ".runtime" / "current" / "bin" / "python", peer_python()
    models = make_models(family, folder, ours=ours, peer=peer)
    with contextlib.ExitStack() as ends:
        running = []
        for number, stack in enumerate((OURS, FRAMES, ONNX, FLOOR)):
            place = folder / f"{family}-{number}"
            place.mkdir()
            places = Places(folder=place, port=free_port(), ours=ours, peer=peer)
            running.append(start_stack(stack, models, places))
            ends.callback(running[-1].group.stop)
        return measure_stacks(running, models, rows=_ROWS, seconds=seconds, rounds=rounds)


def main() -> int:
    """Print one Markdown table per family of models; 1 with the reason if something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--only", choices=_FAMILIES, help="one family of models")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one window (default 1)")
    parser.add_argument("--rounds", type=int, default=7, help="windows per server and number of rows (default 7)")
    arguments = parser.parse_args()
    families = [arguments.only] if arguments.only else list(_FAMILIES)
    try:
        nginx()
        with tempfile.TemporaryDirectory(prefix="cd4ml-serving-") as folder:
            for family in families:
                results = _measure(family, Path(folder), seconds=arguments.seconds, rounds=arguments.rounds)
                print(
                    f"### {_FAMILIES[family]}", "", _table(results), "", *_verdicts(results), "", sep="\n", flush=True
                )
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
