"""False alarms on stationary data, and how many shifts are found: simulated windows of the 20 columns, by drift and all
checks together; then of columns with rare values, which are where checks cry wolf (rare_values.py).

Each seed draws a baseline of its own and windows of every size, some as they should be and some with four columns
shifted by a known distance. Evidently takes seconds for a window, so that it sees fewer of the same windows.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift import rare_values, rules
from benchmarks.drift.children import peer
from benchmarks.drift.columns import table_schema
from benchmarks.drift.tables import SHIFTABLE, table
from benchmarks.drift.verdicts import at_least, at_most
from drift_monitor.baseline import build_baseline

SIZES = (100, 300, 1_000, 5_000)
OURS, MODEL_MONITOR, EVIDENTLY = "ours", "Model Monitor, Simple 0.1", "Evidently, drift preset"

_BASELINE_ROWS = 20_000
_DISTANCES = (0.08, 0.1, 0.12)
_SHIFTED = 4
# A seed of rare values is of 48 windows, each judged by three rules.
_SEEDS_PER_RARE = 4
_POWER_ROWS = 1_000
_MOST_FALSE, _LEAST_FOUND = 5.0, 95.0


@dataclass
class Tally:
    """What a rule said of the windows of one size; mutable. `columns`: those that were raised falsely."""

    windows: int = 0
    alarmed: int = 0
    columns: int = 0
    shifted: int = 0
    found: int = 0

    def add(self, stationary: set[str], drifted: set[str], shifts: set[str]) -> None:
        """Count one window of either kind."""
        self.windows += 1
        self.alarmed += bool(stationary)
        self.columns += len(stationary)
        self.shifted += len(shifts)
        self.found += len(drifted & shifts)

    @property
    def false(self) -> float:
        """Windows with a false alarm, per cent."""
        return 100 * self.alarmed / self.windows

    @property
    def power(self) -> float:
        """Shifted columns that were found, per cent."""
        return 100 * self.found / self.shifted


@dataclass
class Simulation:
    """Tallies by rule and by number of rows; mutable."""

    tallies: dict[tuple[str, int], Tally] = field(default_factory=dict)

    def of(self, rule: str, rows: int) -> Tally:
        """The tally of a rule, made at the first call."""
        return self.tallies.setdefault((rule, rows), Tally())


@dataclass(frozen=True, eq=False)
class _Case:
    """A baseline and a window of each kind."""

    known: pa.RecordBatch
    stationary: pa.RecordBatch
    drifted: pa.RecordBatch
    shifts: dict[str, float]


def run(seeds: int, *, peer_seeds: int) -> Iterator[str]:
    """Lines of Markdown."""
    simulation = simulate(seeds)
    _add_evidently(simulation, peer_seeds)
    yield "| rows | rule | windows | with a false alarm | columns falsely raised per window | shifts found |"
    yield "|---|---|---|---|---|---|"
    for rows in SIZES:
        for rule in (OURS, MODEL_MONITOR, EVIDENTLY):
            if tally := simulation.tallies.get((rule, rows)):
                yield _line(rule, rows, tally)
    yield ""
    for rows in SIZES:
        yield at_most(f"false alarms at {rows:,} rows", simulation.of(OURS, rows).false, _MOST_FALSE, unit="%")
    found = simulation.of(OURS, _POWER_ROWS).power
    yield at_least(f"shifts of 0.08 to 0.12 found at {_POWER_ROWS:,} rows", found, _LEAST_FOUND, unit="%")
    yield ""
    yield from rare_values.lines(max(1, seeds // _SEEDS_PER_RARE), SIZES)


def simulate(seeds: int, *, sizes: Sequence[int] = SIZES) -> Simulation:
    """What ours and Model Monitor's rule say of that many windows of each size and kind."""
    simulation = Simulation()
    for seed in range(seeds):
        known = _known(seed)
        baseline = build_baseline([known], schema=table_schema())
        judges = {OURS: partial(rules.ours, baseline), MODEL_MONITOR: partial(rules.model_monitor, known)}
        for rows in sizes:
            case = _case(known, seed, rows)
            for rule, judge in judges.items():
                simulation.of(rule, rows).add(judge(case.stationary), judge(case.drifted), set(case.shifts))
    return simulation


def _add_evidently(simulation: Simulation, seeds: int) -> None:
    for seed in range(seeds):
        cases = [_case(_known(seed), seed, rows) for rows in SIZES]
        with tempfile.TemporaryDirectory() as folder:
            tables = [cases[0].known, *(window for case in cases for window in (case.stationary, case.drifted))]
            files = [Path(folder) / f"{number}.parquet" for number in range(len(tables))]
            for file, rows in zip(files, tables, strict=True):
                pq.write_table(pa.Table.from_batches([rows]), file)
            said = [set(columns) for columns in peer("peer_evidently", *map(str, files)).answer["drifted"]]
        for case, stationary, drifted in zip(cases, said[0::2], said[1::2], strict=True):
            simulation.of(EVIDENTLY, case.stationary.num_rows).add(stationary, drifted, set(case.shifts))


def _line(rule: str, rows: int, tally: Tally) -> str:
    cells = [
        f"{rows:,}",
        rule,
        str(tally.windows),
        f"{tally.false:.1f} %",
        f"{tally.columns / tally.windows:.2g}",
        f"{tally.power:.1f} % of {tally.shifted}",
    ]
    return f"| {' | '.join(cells)} |"


def _known(seed: int) -> pa.RecordBatch:
    return table(_BASELINE_ROWS, seed=10 * seed)


def _case(known: pa.RecordBatch, seed: int, rows: int) -> _Case:
    own_seed = 10 * seed + 1 + 2 * SIZES.index(rows)
    columns = np.random.default_rng(own_seed).choice(SHIFTABLE, _SHIFTED, replace=False).tolist()
    shifts = dict.fromkeys(columns, _DISTANCES[seed % len(_DISTANCES)])
    return _Case(
        known=known,
        stationary=table(rows, seed=own_seed),
        drifted=table(rows, seed=own_seed + 1, shifts=shifts),
        shifts=shifts,
    )
