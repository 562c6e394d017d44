"""Clarify's bias metrics, worked out by hand on one small table, and the intervals' published values."""

import math

import numpy as np
import pytest

from drift_monitor.bias.definitions import DESCRIPTIONS, POST_TRAINING_METRICS, PRE_TRAINING_METRICS
from drift_monitor.bias.metrics import Counts, error_metrics, pre_training_metrics, prediction_metrics
from drift_monitor.quality.proportions import newcombe, wilson

# Cells (label, predicted): 00, 01, 10, 11. Others: 100 rows, 60 labelled positive, 50 accepted. Facet: 40, 10 and 8.
OTHERS = [[30, 10], [20, 40]]
FACET = [[26, 4], [6, 4]]


def _table(*groups: list[list[list[int]]]) -> Counts:
    """Counts of one table of some groups."""
    return np.array([groups], dtype=np.float64)


def _values(counts: Counts) -> dict[str, float]:
    metrics = {**pre_training_metrics(counts), **prediction_metrics(counts), **error_metrics(counts)}
    return {name: float(value[0]) for name, value in metrics.items()}


def test_metrics_have_the_values_of_their_definitions() -> None:
    """Signs and directions as in Clarify's documentation."""
    values = _values(_table([OTHERS, FACET]))

    assert values == pytest.approx(
        {
            "CI": (100 - 40) / 140,
            "DPL": 0.60 - 0.25,
            "KL": 0.6 * math.log(0.6 / 0.25) + 0.4 * math.log(0.4 / 0.75),
            "JS": 0.5 * (0.6 * math.log(0.6 / 0.425) + 0.4 * math.log(0.4 / 0.575))
            + 0.5 * (0.25 * math.log(0.25 / 0.425) + 0.75 * math.log(0.75 / 0.575)),
            "LP": math.sqrt(2 * 0.35**2),
            "TVD": 0.35,
            "KS": 0.35,
            "CDDL": 30 / 70 - 10 / 70,
            "DPPL": 0.50 - 0.20,
            "DI": 0.20 / 0.50,
            "CDDPL": 32 / 82 - 8 / 58,
            "DCA": 60 / 50 - 10 / 8,
            "DCR": 30 / 32 - 40 / 50,
            "RD": 40 / 60 - 4 / 10,
            "SD": 26 / 30 - 30 / 40,
            "DAR": 40 / 50 - 4 / 8,
            "DRR": 26 / 32 - 30 / 50,
            "AD": 70 / 100 - 30 / 40,
            "TE": 6 / 4 - 20 / 10,
            # Benefits: 100 rows of 1, 14 of 2, 26 of 0; their mean is 128 / 140.
            "GE": ((100 + 14 * 4) / 140 / (128 / 140) ** 2 - 1) / 2,
        }
    )


def test_every_metric_of_clarify_has_a_value_and_a_description() -> None:
    """FT is the only one that is no matter of counts."""
    assert {*_values(_table([OTHERS, FACET])), "FT"} == set(DESCRIPTIONS)
    assert len(PRE_TRAINING_METRICS) == 8
    assert len(POST_TRAINING_METRICS) == 13
    assert all(text.endswith(f"({name})") for name, text in DESCRIPTIONS.items())


def test_conditional_disparity_takes_out_what_a_group_variable_explains() -> None:
    """Simpson's paradox: the facet applies where few are accepted; within each group there is no disparity."""
    hard = [[[18, 0], [0, 2]], [[72, 0], [0, 8]]]
    easy = [[[16, 0], [0, 64]], [[4, 0], [0, 16]]]

    together = _values(_table([(np.array(hard[0]) + easy[0]).tolist(), (np.array(hard[1]) + easy[1]).tolist()]))
    by_group = _values(_table(hard, easy))

    assert together["CDDPL"] == pytest.approx(76 / 110 - 24 / 90)
    assert by_group["CDDPL"] == pytest.approx(0.0, abs=1e-12)
    assert by_group["DPPL"] == together["DPPL"]


def test_no_bias_is_the_neutral_value_of_every_metric() -> None:
    """Two groups of equal size and outcome: 1 for the ratio, 0 for everything else but GE, which knows no groups."""
    values = _values(_table([OTHERS, OTHERS]))

    assert values.pop("DI") == 1
    assert values.pop("GE") > 0
    assert values == pytest.approx(dict.fromkeys(values, 0.0), abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
)
def test_wilson_intervals_are_the_published_ones(hits: int, rows: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), page 857, method 3."""
    interval = wilson(hits, rows)

    assert (interval.low, interval.high) == pytest.approx((low, high), abs=6e-5)


def test_newcombe_intervals_are_the_published_ones() -> None:
    """The same volume, page 873, method 10: 56/70 - 48/80 and 10/10 - 0/10."""
    usual, extreme = newcombe(wilson(56, 70), wilson(48, 80)), newcombe(wilson(10, 10), wilson(0, 10))

    assert (usual.low, usual.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)
    assert (extreme.low, extreme.high) == pytest.approx((0.6075, 1.0), abs=6e-5)
