"""How likely differences as large as the observed ones are if nothing has changed.

Every p-value takes account of both samples' sizes: the baseline is a sample as well. Where an approximation is used,
it errs towards a larger p-value. Must not know columns, thresholds or verdicts.
"""

import math
from collections.abc import Sequence

import numpy as np

from drift_monitor.drift.distances import Cells, Distance
from drift_monitor.drift.special import binomial_tail, chi_square_tail, hypergeometric_tail, kolmogorov_tail

# Cochran's rule: with fewer expected values in a cell, chi-square is no approximation of the statistic.
_LEAST_EXPECTED = 5
# Of how many categories, those with the largest excess and the largest lack, the exact tail is computed.
_CANDIDATES = 3


def ks_p_value(distance: Distance, *, baseline_rows: int, current_rows: int, rank_error: float = 0.0) -> float:
    """Two-sample Kolmogorov-Smirnov test, asymptotic with Stephens' correction for small samples.

    Uses the distance that is certain (never the bound above it), less the counts' own error. With ties the true
    p-value is smaller.
    """
    effective = math.sqrt(baseline_rows * current_rows / (baseline_rows + current_rows))
    certain = max(0.0, distance.value - rank_error)
    return kolmogorov_tail((effective + 0.12 + 0.11 / effective) * certain)


def category_p_value(cells: Cells) -> float:
    """Whether two samples of categories come from one distribution.

    The smaller of two tests, doubled: chi-square, which sees many small differences, and the most unlikely single
    category, which sees one difference among a thousand categories.
    """
    return min(1.0, 2 * min(_chi_square(cells), _most_unlikely_category(cells)))


def share_p_value(part: int, whole: int, *, share: float) -> float:
    """Exact one-sided test that more than `share` of `whole` would be part of it."""
    return binomial_tail(part, trials=whole, share=share)


def increase_p_value(part: int, whole: int, *, baseline_part: int, baseline_whole: int) -> float:
    """Fisher's exact one-sided test that a share is greater than it was in the baseline."""
    return hypergeometric_tail(part, population=whole + baseline_whole, marked=part + baseline_part, draws=whole)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q-values: alarms with q <= 0.01 are false in 1 % of the cases on average, over all
    columns together (also for columns that depend on each other positively)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    q_values = [0.0] * len(p_values)
    smallest = 1.0
    for place, index in enumerate(order):
        smallest = min(smallest, p_values[index] * len(p_values) / (len(p_values) - place))
        q_values[index] = smallest
    return q_values


def _chi_square(cells: Cells) -> float:
    """Chi-square test of homogeneity; categories that are rare in both samples together are joined first.

    Which are joined depends on the sums of both samples only, so the choice does not favour a difference.
    """
    sizes = np.array([cells.baseline.sum(), cells.current.sum()], np.float64)
    totals = cells.baseline + cells.current
    rare = totals * (sizes.min() / sizes.sum()) < _LEAST_EXPECTED
    frequent = np.flatnonzero(~rare)
    frequent = frequent[np.argsort(-totals[frequent], kind="stable")]
    samples = np.stack((cells.baseline, cells.current))
    table = np.column_stack((samples[:, frequent], samples[:, rare].sum(axis=1)))
    if table[:, -1].sum() * (sizes.min() / sizes.sum()) < _LEAST_EXPECTED and table.shape[1] > 1:
        table = np.column_stack((table[:, :-2], table[:, -2:].sum(axis=1)))
    if table.shape[1] < 2:
        return 1.0
    expected = np.outer(sizes, table.sum(axis=0)) / sizes.sum()
    return chi_square_tail(float(((table - expected) ** 2 / expected).sum()), table.shape[1] - 1)


def _most_unlikely_category(cells: Cells) -> float:
    """The least p-value of a single category by Fisher's exact test, corrected for looking at all of them.

    The correction is Bonferroni's with weights: a category's part of the error rate is its share of both samples
    together, so that a thousand rare categories cost the frequent ones no power. Only the most extreme categories are
    computed: leaving out others can only make the result larger.
    """
    totals = cells.baseline + cells.current
    population, draws = int(totals.sum()), int(cells.current.sum())
    occurring = np.flatnonzero(totals)
    expected = totals[occurring] * (draws / population)
    order = np.argsort((cells.current[occurring] - expected) / np.sqrt(expected), kind="stable")
    least = 1.0
    for index in {*order[:_CANDIDATES].tolist(), *order[-_CANDIDATES:].tolist()}:
        total, current = int(totals[occurring[index]]), int(cells.current[occurring[index]])
        if current < expected[index]:  # the tail of what is rarer than expected is that of all others together
            marked, seen = population - total, draws - current
        else:
            marked, seen = total, current
        tail = hypergeometric_tail(seen, population=population, marked=marked, draws=draws)
        least = min(least, 2 * tail * population / total)
    return least
