"""Clarify's bias metrics from counts alone: each a few sums, over one table or a thousand resampled ones at once.

Counts have the shape (m, groups, 2, 2, 2): group of the group variable (one without it), facet (0: everybody else,
called a by Clarify; 1: the facet's group, d), label and predicted label (0 negative, 1 positive). Values have the
shape (m,). A ratio by zero is NaN or infinite here; Clarify writes 0 for 0/0 and infinity, which no threshold can
judge. FT is not a matter of counts: see flip_test.py.
"""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float64]


def pre_training_metrics(counts: Counts) -> dict[str, Values]:
    """Metrics of the labels: CI, DPL, the distances between the two label distributions, and CDDL."""
    with np.errstate(all="ignore"):
        labels = counts.sum(axis=4)
        table = labels.sum(axis=1)
        rows = table.sum(axis=2)
        others, facet = np.moveaxis(table / rows[:, :, None], 1, 0)
        difference = np.abs(others - facet)
        middle = (others + facet) / 2
        return {
            "CDDL": _conditional_disparity(labels),
            "CI": (rows[:, 0] - rows[:, 1]) / rows.sum(axis=1),
            "DPL": others[:, 1] - facet[:, 1],
            "JS": (_divergence(others, middle) + _divergence(facet, middle)) / 2,
            "KL": _divergence(others, facet),
            "KS": difference.max(axis=1),
            "LP": np.sqrt((difference**2).sum(axis=1)),
            "TVD": difference.sum(axis=1) / 2,
        }


def prediction_metrics(counts: Counts) -> dict[str, Values]:
    """Post-training metrics that need no labels: DPPL, DI and CDDPL."""
    with np.errstate(all="ignore"):
        predicted = counts.sum(axis=3)
        table = predicted.sum(axis=1)
        accepted = table[:, :, 1] / table.sum(axis=2)
        return {
            "CDDPL": _conditional_disparity(predicted),
            "DI": accepted[:, 1] / accepted[:, 0],
            "DPPL": accepted[:, 0] - accepted[:, 1],
        }


def error_metrics(counts: Counts) -> dict[str, Values]:
    """Post-training metrics of predictions against labels; a is everybody else, d the facet's group."""
    with np.errstate(all="ignore"):
        table = counts.sum(axis=1)
        true_negative, false_positive, false_negative, true_positive = table.reshape(-1, 2, 4).transpose(2, 0, 1)
        accepted, rejected = true_positive + false_positive, true_negative + false_negative
        positives, negatives = true_positive + false_negative, true_negative + false_positive
        return {
            "AD": _a_minus_d((true_positive + true_negative) / (positives + negatives)),
            "DAR": _a_minus_d(true_positive / accepted),
            "DCA": _a_minus_d(positives / accepted),
            "DCR": -_a_minus_d(negatives / rejected),
            "DRR": -_a_minus_d(true_negative / rejected),
            "GE": _generalized_entropy(
                false_positive.sum(axis=1), false_negative.sum(axis=1), table.sum(axis=(1, 2, 3))
            ),
            "RD": _a_minus_d(true_positive / positives),
            "SD": -_a_minus_d(true_negative / negatives),
            "TE": -_a_minus_d(false_negative / false_positive),
        }


def _a_minus_d(ratio: Values) -> Values:
    difference: Values = ratio[:, 0] - ratio[:, 1]
    return difference


def _divergence(first: Values, second: Values) -> Values:
    """Kullback-Leibler divergence in nats; a class that `first` lacks adds nothing."""
    terms = np.where(first > 0, first * np.log(first / second), 0.0)
    # Without rows `first` is NaN, which the comparison above would turn into 0.
    divergence: Values = np.where(np.isnan(first).any(axis=1), np.nan, terms.sum(axis=1))
    return divergence


def _conditional_disparity(outcomes: Counts) -> Values:
    """Mean over the groups, weighted by rows, of the facet's share of the rejected minus that of the accepted.

    `outcomes`: (m, groups, facet, outcome). A group without rejected (accepted) rows has the share 0 there, as in
    Clarify; without a single one in all groups there is no disparity to speak of.
    """
    totals, facet = outcomes.sum(axis=2), outcomes[:, :, 1]
    share = np.divide(facet, totals, out=np.zeros_like(facet), where=totals > 0)
    rows = totals.sum(axis=2)
    mean = (rows * (share[:, :, 0] - share[:, :, 1])).sum(axis=1) / rows.sum(axis=1)
    disparity: Values = np.where((totals.sum(axis=1) > 0).all(axis=1), mean, np.nan)
    return disparity


def _generalized_entropy(false_positives: Values, false_negatives: Values, rows: Values) -> Values:
    """Half the squared coefficient of variation of the benefits: 1, but 2 for a false positive and 0 for a negative."""
    mean = 1 + (false_positives - false_negatives) / rows
    mean_square = 1 + (3 * false_positives - false_negatives) / rows
    entropy: Values = (mean_square / mean**2 - 1) / 2
    return entropy
