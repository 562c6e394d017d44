"""Tail probabilities against scipy."""

import pytest
from scipy import special, stats

from drift_monitor.drift.special import binomial_tail, chi_square_tail, hypergeometric_tail, kolmogorov_tail


@pytest.mark.parametrize("x", [0.0, 0.1, 0.5, 0.999, 1.0, 1.5, 3.0, 10.0])
def test_kolmogorov(x: float) -> None:
    """Both series meet at 1, and the ends are 1 and 0."""
    assert kolmogorov_tail(x) == pytest.approx(special.kolmogorov(x), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("degrees", [1, 2, 7, 100, 5_000])
@pytest.mark.parametrize("relative", [0.0, 0.1, 0.99, 1.01, 2.0, 20.0])
def test_chi_square(degrees: int, relative: float) -> None:
    """Below and above the mean, for few and many cells."""
    x = relative * degrees
    assert chi_square_tail(x, degrees) == pytest.approx(special.chdtrc(degrees, x), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("trials", [1, 30, 1_000, 10**6])
@pytest.mark.parametrize("share", [0.0, 1e-5, 0.02, 0.5, 0.999, 1.0])
def test_binomial(trials: int, share: float) -> None:
    """From certain to impossible."""
    for at_least in {0, 1, trials // 50, int(trials * share), int(trials * share * 1.1) + 1, trials, trials + 1}:
        expected = stats.binom.sf(at_least - 1, trials, share)
        assert binomial_tail(at_least, trials=trials, share=share) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("population", "marked", "draws"),
    [(10, 5, 3), (10, 9, 8), (21_000, 4_000, 1_000), (10**6, 3, 500), (2 * 10**6, 10**6, 10**6)],
)
def test_hypergeometric(population: int, marked: int, draws: int) -> None:
    """Fisher's exact tail, also where only few outcomes are possible."""
    mean = draws * marked / population
    for at_least in {0, 1, int(mean), int(mean) + 1, int(mean * 1.02) + 2, min(marked, draws), draws + 1}:
        expected = stats.hypergeom.sf(at_least - 1, population, marked, draws)
        found = hypergeometric_tail(at_least, population=population, marked=marked, draws=draws)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)
