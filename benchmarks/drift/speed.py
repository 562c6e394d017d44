"""Parquet to all distances and p-values: ours beside pandas with scipy, Evidently, and the decoding alone."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.drift.children import Measured, ours, peer
from benchmarks.drift.tables import DRIFT, parquet_file
from benchmarks.drift.verdicts import at_least, at_most
from benchmarks.measure import BenchmarkError
from drift_monitor.profile.numeric import BINS

_BASELINE_ROWS = 1_000_000
# The peers hold all of it in memory, several times over.
_MOST_PEER_ROWS = 1_000_000
# rows -> CPU-seconds and megabytes that were asked for.
_TARGETS = {1_000_000: (0.5, 300.0), 10_000_000: (3.0, 260.0)}
_LEAST_RATIO = 100.0

OURS, DECODE, SCIPY, EVIDENTLY = "ours", "decoding the file only", "pandas + scipy", "Evidently, drift preset"


def run(rows: Sequence[int], *, runs: int) -> Iterator[str]:
    """Lines of Markdown. Raises BenchmarkError if a process fails or its distances are wrong."""
    yield "| what | rows | CPU-s | imports | peak MB | rows per CPU-s | CPU time to ours |"
    yield "|---|---|---|---|---|---|---|"
    verdicts: list[str] = []
    found: list[Measured] = []
    for count in rows:
        measured = _measure(count, runs=runs)
        for what, figures in measured.items():
            yield _line(what, figures, measured[OURS])
        verdicts += _verdicts(count, measured)
        found.append(measured[OURS])
    yield ""
    yield from verdicts
    for smaller, larger in itertools.pairwise(found):
        cost = (larger.cpu - smaller.cpu) / (larger.rows - smaller.rows) * 1e6
        yield f"- a further row costs {cost:.2f} µs between {smaller.rows:,} and {larger.rows:,} rows"


def check_distances(found: Measured, reference: Measured) -> float:
    """The largest difference of a distance from scipy's, which must lie within what ours says of its own error."""
    worst = 0.0
    for name, true in reference.answer["distances"].items():
        value, error = found.answer["distances"][name]
        if not value - 1e-9 <= true <= value + error + 1e-9:
            raise BenchmarkError(f"column {name}: ours is {value} with an error of {error}, scipy's distance is {true}")
        worst = max(worst, true - value)
    return worst


def _measure(rows: int, *, runs: int) -> dict[str, Measured]:
    baseline, current = (parquet_file(count, current=now) for count, now in ((_BASELINE_ROWS, False), (rows, True)))
    with tempfile.TemporaryDirectory() as folder:
        profile = str(Path(folder) / "profile.npz")
        ours("baseline", str(baseline), profile)
        measured = {
            OURS: ours("table", profile, str(current), runs=runs),
            DECODE: ours("decode", str(current), runs=runs),
        }
    if rows <= _MOST_PEER_ROWS:
        measured[SCIPY] = peer("peer_scipy", str(baseline), str(current))
    if rows == _MOST_PEER_ROWS:
        measured[EVIDENTLY] = peer("peer_evidently", str(baseline), str(current))
    if missed := DRIFT.keys() - set(measured[OURS].answer["drifted"]):
        raise BenchmarkError(f"{rows} rows: the drift of {', '.join(sorted(missed))} was not found")
    return measured


def _line(what: str, figures: Measured, base: Measured) -> str:
    cells = [
        what,
        f"{figures.rows:,}",
        f"{figures.cpu:.2f}",
        f"{figures.import_cpu:.2f}",
        f"{figures.peak_mb:,.0f}",
        f"{figures.rows_per_cpu_second:,.0f}",
        "" if figures is base else f"{figures.cpu / base.cpu:.3g}x",
    ]
    return f"| {' | '.join(cells)} |"


def _verdicts(rows: int, measured: dict[str, Measured]) -> Iterator[str]:
    found = measured[OURS]
    if rows in _TARGETS:
        cpu, memory = _TARGETS[rows]
        yield at_most(f"{rows:,} rows", found.cpu, cpu, unit="CPU-s")
        yield at_most(f"{rows:,} rows", found.peak_mb, memory, unit="MB")
    if EVIDENTLY in measured:
        evidently = measured[EVIDENTLY]
        yield at_least("Evidently", evidently.cpu / found.cpu, _LEAST_RATIO, unit="times our CPU time")
        unseen = ", ".join(sorted(DRIFT.keys() - set(evidently.answer["drifted"][0]))) or "none"
        yield f"- of {len(DRIFT)} drifted columns ours finds all, Evidently misses {unseen}"
    if SCIPY in measured:
        worst = check_distances(found, measured[SCIPY])
        yield f"- {rows:,} rows: largest difference from scipy's distances {worst:.2g}, the bound is {1 / BINS:.2g}"
