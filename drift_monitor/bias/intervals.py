"""95 % intervals of the bias metrics: analytic for differences of shares, seeded draws of the counts for the rest.

A group of a few dozen rows is where bias is looked for and where point values jump: Model Monitor compares those. Must
not decide anything.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from drift_monitor.bias.metrics import Counts, Values
from drift_monitor.quality.proportions import newcombe, wilson
from drift_monitor.quality.resampling import RESAMPLES, SEED, percentile_interval
from drift_monitor.results import Interval

# Jeffreys' prior per cell: without it an empty cell of a small group would be empty for certain.
_PRIOR = 0.5

# Numerator and denominator of the shares whose difference a metric is, as cells (label, predicted label) of one side.
_SHARES: Mapping[str, tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]] = {
    "DPL": (((1, 0), (1, 1)), ((0, 0), (0, 1), (1, 0), (1, 1))),
    "DPPL": (((0, 1), (1, 1)), ((0, 0), (0, 1), (1, 0), (1, 1))),
    "AD": (((0, 0), (1, 1)), ((0, 0), (0, 1), (1, 0), (1, 1))),
    "RD": (((1, 1),), ((1, 0), (1, 1))),
    "DAR": (((1, 1),), ((0, 1), (1, 1))),
    "SD": (((0, 0),), ((0, 0), (0, 1))),
    "DRR": (((0, 0),), ((0, 0), (1, 0))),
}
# Clarify takes these as the facet's share minus that of the others.
_FACET_FIRST = frozenset({"SD", "DRR"})
# Distances of the two label distributions; of two classes, each is a function of the difference of positive shares.
_FOLDED = {"KS": 1.0, "TVD": 1.0, "LP": np.sqrt(2.0)}
_DISTANCES = frozenset({"KL", "JS"})
_CONDITIONAL = frozenset({"CDDL", "CDDPL"})


def intervals(counts: Counts, metrics: Callable[[Counts], Mapping[str, Values]]) -> dict[str, Interval]:
    """Every metric of one table of counts, shape (groups, 2, 2, 2) as in metrics.py, with its interval.

    A value that is undefined or infinite is None.
    """
    point = metrics(counts[None])
    drawn = metrics(_draws(counts.sum(axis=0, keepdims=True), prior=_PRIOR))
    conditional = metrics(_draws(counts, prior=0.0)) if _CONDITIONAL & point.keys() else {}
    table = counts.sum(axis=0)
    result = {}
    for name, value in point.items():
        resampled = conditional if name in _CONDITIONAL else drawn
        result[name] = _analytic(name, table) or percentile_interval(float(value[0]), resampled[name])
        if name in _DISTANCES:
            result[name] = _from_zero(result[name], _difference_of_shares("DPL", table))
    return result


def flip_interval(flips: npt.NDArray[np.int64]) -> Interval:
    """FT from -1, 0 or 1 per row, with the interval of its three counts."""
    counts = np.array([(flips == value).sum() for value in (-1, 0, 1)])
    draws = np.random.default_rng(SEED).dirichlet(counts + _PRIOR, size=RESAMPLES)
    return percentile_interval(float(flips.mean()), draws[:, 2] - draws[:, 0])


def _analytic(name: str, table: Counts) -> Interval | None:
    """The interval where a formula gives it; None for the other metrics."""
    if name in _SHARES:
        return _difference_of_shares(name, table)
    if name in _FOLDED:
        return _folded(_difference_of_shares("DPL", table), factor=_FOLDED[name])
    if name == "CI":
        share = wilson(float(table[1].sum()), float(table.sum()))
        return _mapped(share, lambda value: 1 - 2 * value)
    return None


def _difference_of_shares(name: str, table: Counts) -> Interval:
    others, facet = (wilson(*(sum(side[cell] for cell in cells) for cells in _SHARES[name])) for side in table)
    return newcombe(facet, others) if name in _FACET_FIRST else newcombe(others, facet)


def _mapped(interval: Interval, function: Callable[[float], float]) -> Interval:
    """A falling function of an interval; all None stays so."""
    value, low, high = interval.value, interval.low, interval.high
    if value is None or low is None or high is None:
        return Interval(value=None)
    return Interval(value=function(value), low=function(high), high=function(low))


def _folded(interval: Interval, *, factor: float) -> Interval:
    """Size of a signed difference: its interval starts at 0 if both signs are possible."""
    value, low, high = interval.value, interval.low, interval.high
    if value is None or low is None or high is None:
        return Interval(value=None)
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return Interval(value=factor * abs(value), low=factor * nearest, high=factor * max(abs(low), abs(high)))


def _from_zero(interval: Interval, difference: Interval) -> Interval:
    """A distance may be 0 if the difference may be; its draws alone never are."""
    if interval.low is None or difference.low is None or difference.high is None:
        return interval
    low = 0.0 if difference.low <= 0 <= difference.high else interval.low
    return Interval(value=interval.value, low=low, high=interval.high)


def _draws(counts: Counts, *, prior: float) -> Counts:
    """Tables that the counted one may stand for, shape (RESAMPLES, *counts.shape), of the same number of rows."""
    generator = np.random.default_rng(SEED)
    flat, rows = counts.reshape(-1), counts.sum()
    if prior:
        draws = generator.dirichlet(flat + prior, size=RESAMPLES) * rows
    else:
        draws = generator.multinomial(int(rows), flat / rows, size=RESAMPLES)
    tables: Counts = np.asarray(draws, dtype=np.float64).reshape(RESAMPLES, *counts.shape)
    return tables
