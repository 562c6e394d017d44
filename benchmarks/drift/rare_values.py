"""Checks on stationary data with rare values: what the baseline has not seen by chance is certain to come some day.

Columns with long tails, of categories and of numbers, and with a few gaps, odd types and identifiers; baselines of two
sizes, and windows of every size in threes, as the deployed policy looks at them. Beside ours Model Monitor's rules on
the same windows: a share below the baseline's is a violation, as is a category that it does not have.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.drift.verdicts import at_most
from drift_monitor.baseline import Baseline, build_baseline
from drift_monitor.drift.checks import run_checks
from drift_monitor.drift.detection import detect, findings
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.profile.dataset import DatasetProfile, Profiler
from drift_monitor.results import DataCheck, FeatureDrift, Verdict
from drift_monitor.schema import Column, ColumnType, DataSchema

BASELINE_ROWS = (1_000, 20_000)
AT_ONCE, IN_TWO, MODEL_MONITOR = "ours, 1 window", "ours, 2 of 3 windows", "Model Monitor's checks"

_TYPES = {
    **dict.fromkeys(("make", "owner", "identifier", "grade", "gaps"), ColumnType.STRING),
    **dict.fromkeys(("tail", "heavy_tail", "few_gaps", "many_gaps", "sparse"), ColumnType.FRACTIONAL),
    **dict.fromkeys(("doors", "as_text"), ColumnType.INTEGRAL),
}
_POLICIES = {AT_ONCE: AlarmPolicy(), IN_TWO: AlarmPolicy(windows_to_alarm=2, windows=3)}
_WINDOWS = 3
_MOST_FALSE = 5.0
# What is done to a window to see whether it is found: column -> share of its values.
_BROKEN = {"few_gaps": 0.1, "make": 0.2, "doors": 0.1, "as_text": 0.1, "tail": 0.1}


@dataclass
class Tally:
    """Of one rule, size of baseline and size of window; mutable. Windows are judged in threes, the last one counts."""

    judged: int = 0
    by_checks: int = 0
    by_any: int = 0
    broken: int = 0
    found: int = 0


@dataclass
class Simulation:
    """Tallies by rule, rows of the baseline and rows of the window; mutable."""

    tallies: dict[tuple[str, int, int], Tally] = field(default_factory=dict)

    def of(self, rule: str, known: int, rows: int) -> Tally:
        """The tally, made at the first call."""
        return self.tallies.setdefault((rule, known, rows), Tally())


def lines(seeds: int, sizes: Sequence[int]) -> Iterator[str]:
    """Lines of Markdown."""
    simulation = simulate(seeds, sizes)
    yield "| rows of the baseline | rows | rule | windows | false alarm of a check | of a check or drift | found |"
    yield "|---|---|---|---|---|---|---|"
    for (rule, known, rows), tally in sorted(simulation.tallies.items(), key=lambda item: (item[0][1:], item[0][0])):
        false, any_false = (100 * count / tally.judged for count in (tally.by_checks, tally.by_any))
        cells = (f"{known:,}", f"{rows:,}", rule, tally.judged, f"{false:.1f} %", f"{any_false:.1f} %")
        yield f"| {' | '.join(map(str, cells))} | {100 * tally.found / tally.broken:.0f} % of {tally.broken} |"
    yield ""
    for rule in _POLICIES:
        worst = max(100 * one.by_any / one.judged for (name, *_), one in simulation.tallies.items() if name == rule)
        yield at_most(f"false alarms with rare values, {rule}, at any size", worst, _MOST_FALSE, unit="%")


def simulate(seeds: int, sizes: Sequence[int]) -> Simulation:
    """What all rules say of that many threes of windows for each size of baseline and window."""
    simulation = Simulation()
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        for known in BASELINE_ROWS:
            baseline = build_baseline([_table(generator, known)], schema=_schema())
            for rows in sizes:
                windows = [_profile(baseline, _table(generator, rows)) for _ in range(_WINDOWS)]
                broken = [_profile(baseline, _table(generator, rows, broken=_BROKEN)) for _ in range(_WINDOWS)]
                for rule in (*_POLICIES, MODEL_MONITOR):
                    _count(simulation.of(rule, known, rows), _said(rule, baseline, windows), found=False)
                    _count(simulation.of(rule, known, rows), _said(rule, baseline, broken), found=True)
    return simulation


def _count(tally: Tally, said: Sequence[FeatureDrift | DataCheck], *, found: bool) -> None:
    checks = {item.feature for item in said if isinstance(item, DataCheck)}
    if found:
        tally.broken += len(_BROKEN)
        tally.found += len(checks & _BROKEN.keys())
        return
    tally.judged += 1
    tally.by_checks += bool(checks)
    tally.by_any += bool(said)


def _said(rule: str, baseline: Baseline, windows: Sequence[DatasetProfile]) -> list[FeatureDrift | DataCheck]:
    """The violations of the last window."""
    if rule == MODEL_MONITOR:
        return [*_as_they_are(baseline, windows[-1])]
    policy, history, items = _POLICIES[rule], list[WindowFindings](), list[FeatureDrift | DataCheck]()
    for profile in windows:
        features = detect(baseline.profile, profile, policy=policy, history=history)
        checks = run_checks(baseline.constraints, profile, policy=policy, history=history)
        history.append(findings(features, checks, window=None))
        items = [*features, *checks]
    return [item for item in items if item.verdict is Verdict.VIOLATION]


def _as_they_are(baseline: Baseline, profile: DatasetProfile) -> Iterator[DataCheck]:
    """Shares below those of the baseline; all categories have to be known, and there is no rule about the range."""
    for check in run_checks(baseline.constraints, profile, policy=AlarmPolicy(minimum_rows=1)):
        expected = 1.0 if check.check == "categorical_values_check" else check.expected
        below = check.observed is not None and expected is not None and check.observed < expected
        if below and check.check != "range_check":
            yield check


def _schema() -> DataSchema:
    return DataSchema(inputs=tuple(Column(name, kind) for name, kind in _TYPES.items()), outputs=())


def _profile(baseline: Baseline, table: pa.RecordBatch) -> DatasetProfile:
    profiler = Profiler(baseline.profile.anchors)
    profiler.add(table)
    return profiler.result()


def _table(generator: np.random.Generator, rows: int, *, broken: Mapping[str, float] | None = None) -> pa.RecordBatch:
    share = {name: generator.random(rows) < (broken or {}).get(name, 0.0) for name in _BROKEN}
    unknown = (generator.random(rows) < 0.002) | share["as_text"]
    tail = generator.lognormal(10, 0.6, rows)
    return pa.record_batch(
        {
            "make": pa.array(np.where(share["make"], "new", _names(generator.zipf(1.7, rows) % 400))),
            "owner": pa.array(_names(generator.zipf(1.3, rows) % 100_000)),
            "identifier": pa.array(_names(generator.integers(0, 1 << 62, rows))),
            "grade": pa.array(_names(np.searchsorted((0.6, 0.9995), generator.random(rows)))),
            "gaps": pa.array(["a"] * rows, mask=generator.random(rows) < 0.01),
            "tail": pa.array(np.where(share["tail"], tail * 1_000, tail)),
            "heavy_tail": pa.array(generator.standard_cauchy(rows)),
            "few_gaps": pa.array(
                generator.normal(size=rows), mask=(generator.random(rows) < 0.0005) | share["few_gaps"]
            ),
            "many_gaps": pa.array(generator.normal(size=rows), mask=generator.random(rows) < 0.3),
            "sparse": pa.array(generator.normal(size=rows), mask=generator.random(rows) < 0.97),
            "doors": pa.array(np.where(share["doors"], 2.5, generator.integers(2, 6, rows))),
            "as_text": pa.array(np.where(unknown, "unknown", _names(generator.integers(0, 90, rows)))),
        }
    )


def _names(codes: NDArray[np.int64]) -> NDArray[np.str_]:
    return codes.astype(np.str_)
