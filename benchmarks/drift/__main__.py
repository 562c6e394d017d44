"""`python -m benchmarks.drift`: what the monitor costs and how often it cries wolf, beside its peers, in one run.

CPU-seconds are those of a whole process from its start to its end, imports included; memory is its largest resident
size. Tables and events are made at the first run and kept below .cache/benchmarks (about 2 GB).
"""

import argparse
import os
import sys
from collections.abc import Iterator

from benchmarks.drift import alarms, capture, speed
from benchmarks.measure import BenchmarkError

_PARTS = ("speed", "capture", "alarms")
_TITLES = {
    "speed": "Parquet to distances",
    "capture": "Captured events to distances",
    "alarms": "Honest alarms",
}


def _lines(part: str, arguments: argparse.Namespace) -> Iterator[str]:
    if part == "speed":
        return speed.run(arguments.rows, runs=arguments.runs)
    if part == "capture":
        return capture.run(arguments.events, runs=arguments.runs)
    return alarms.run(arguments.seeds, peer_seeds=arguments.peer_seeds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=(*_PARTS, "all"))
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000], help="of the tables")
    parser.add_argument("--events", type=int, default=500_000, help="captured events (default %(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="of ours, of which the best counts (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=200, help="windows of each size and kind (default %(default)s)")
    parser.add_argument("--peer-seeds", type=int, default=8, help="the same for Evidently (default %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Print one Markdown table per part; 1 with the reason if something could not be measured."""
    arguments = _parse()
    try:
        for part in _PARTS if arguments.part == "all" else (arguments.part,):
            load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            print(f"### {_TITLES[part]} ({load} at the start)", "", sep="\n", flush=True)
            for line in _lines(part, arguments):
                print(line, flush=True)
            print()
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
