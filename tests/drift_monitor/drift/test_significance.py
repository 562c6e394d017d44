"""p-values: right under no change, small under change, corrected for many columns."""

import numpy as np
import pytest
from scipy import stats

from drift_monitor.drift.distances import Cells, Distance
from drift_monitor.drift.significance import adjusted, category_p_value, increase_p_value, ks_p_value, share_p_value


@pytest.mark.parametrize(("baseline_rows", "current_rows"), [(20_000, 100), (300, 300), (30, 30), (500, 40)])
def test_the_kolmogorov_smirnov_p_value_is_close_to_the_exact_one(baseline_rows: int, current_rows: int) -> None:
    """Both samples' sizes count, and where it matters the approximation is not the bolder one by more than a fifth."""
    for effective in (1.0, 1.4, 1.8, 2.1):
        distance = effective / np.sqrt(baseline_rows * current_rows / (baseline_rows + current_rows))
        steps = baseline_rows * current_rows // np.gcd(baseline_rows, current_rows)
        distance = round(distance * steps) / steps
        exact = stats.distributions.kstwo.sf(
            distance, round(baseline_rows * current_rows / (baseline_rows + current_rows))
        )
        found = ks_p_value(Distance(value=distance, error=0.0), baseline_rows=baseline_rows, current_rows=current_rows)
        assert 0.8 * exact < found < 1.35 * exact


def test_an_error_of_the_counts_weakens_the_evidence() -> None:
    """An imported sketch is only known to within its rank error."""
    found = [
        ks_p_value(Distance(value=0.1, error=0.0), baseline_rows=1_000, current_rows=1_000, rank_error=error)
        for error in (0.0, 0.01, 0.1)
    ]
    assert found[0] < found[1] < found[2] == 1.0


@pytest.mark.parametrize("categories", [2, 5, 200, 3_000])
def test_no_change_of_categories_seldom_gives_a_small_p_value(categories: int) -> None:
    """p <= 0.05 in about 5 % of stationary windows or fewer, for few and for very many categories."""
    generator = np.random.default_rng(categories)
    shares = 1 / np.arange(1, categories + 1)
    shares /= shares.sum()
    found = [
        category_p_value(Cells(generator.multinomial(5_000, shares), generator.multinomial(200, shares)))
        for _ in range(400)
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.07
    assert np.mean(np.array(found) <= 0.005) <= 0.0125


def test_one_category_among_a_thousand_is_noticed() -> None:
    """Chi-square alone would drown it in the noise of the others."""
    shares = np.full(1_000, 0.001)
    shifted = np.append(0.08, np.full(999, 0.92 / 999))
    generator = np.random.default_rng(1)
    cells = Cells(generator.multinomial(20_000, shares), generator.multinomial(1_000, shifted))
    assert category_p_value(cells) < 1e-20


def test_many_small_changes_together_are_noticed() -> None:
    """No single category stands out, chi-square sees the sum."""
    cells = Cells(np.full(40, 1_000), np.tile([400, 600], 20))
    assert category_p_value(cells) < 1e-6


def test_categories_that_occur_once_are_no_evidence() -> None:
    """Identifiers: every value is new, as it always was."""
    identifiers = np.concatenate((np.ones(5_000, np.int64), np.zeros(1_000, np.int64)))
    assert category_p_value(Cells(identifiers, 1 - identifiers)) == 1.0
    assert category_p_value(Cells(np.array([500]), np.array([100]))) == 1.0


def test_one_odd_value_is_no_evidence_of_a_share() -> None:
    """The binomial tests behind the checks."""
    assert share_p_value(1, 100, share=0.01) > 0.5
    assert share_p_value(8, 100, share=0.01) < 1e-4
    assert increase_p_value(1, 100, baseline_part=0, baseline_whole=100) == pytest.approx(0.5)
    assert increase_p_value(9, 100, baseline_part=9, baseline_whole=100) > 0.5


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    """As scipy computes them, in the order of the columns."""
    p_values = np.random.default_rng(4).random(25) ** 3
    assert adjusted(p_values.tolist()) == pytest.approx(stats.false_discovery_control(p_values))
    assert adjusted([]) == []
