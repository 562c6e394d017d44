"""Distances from counts against scipy on the values themselves."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance as scipy_distance

from drift_monitor.drift import distances
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.numeric import BINS, NumericProfile
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, baseline_profile, schema_of, window_profile

_ROUNDING = 1e-12


def _numeric(baseline: Values, current: Values) -> tuple[NumericProfile, NumericProfile]:
    known = baseline_profile({"x": baseline}, schema_of(x=ColumnType.FRACTIONAL))
    one, other = known.columns["x"], window_profile({"x": current}, known.anchors).columns["x"]
    assert isinstance(one, NumericProfile)
    assert isinstance(other, NumericProfile)
    return one, other


def _categorical(baseline: Values, current: Values) -> tuple[CategoricalProfile, CategoricalProfile]:
    known = baseline_profile({"s": baseline}, schema_of(s=ColumnType.STRING))
    one, other = known.columns["s"], window_profile({"s": current}, known.anchors).columns["s"]
    assert isinstance(one, CategoricalProfile)
    assert isinstance(other, CategoricalProfile)
    return one, other


def _assert_bound(baseline: NDArray[np.float64], current: NDArray[np.float64]) -> distances.Distance:
    """The distance is never above scipy's, and the stated error reaches it."""
    found = distances.kolmogorov_smirnov(*_numeric(baseline, current))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy's p-value, which is not used
        exact = float(stats.ks_2samp(baseline, current, method="asymp").statistic)
    assert found.value <= exact + _ROUNDING
    assert exact <= found.value + found.error + _ROUNDING
    assert exact <= found.value + 1 / BINS + _ROUNDING
    return found


def _column(kind: str, rows: int, generator: np.random.Generator) -> NDArray[np.float64]:
    shift = generator.uniform(0, 0.5)
    columns = {
        "continuous": generator.normal(shift, 1, rows),
        "skewed": generator.lognormal(shift, 1.5, rows),
        "tied": np.round(generator.gamma(2, 10 + shift, rows), 1),
        "zero-inflated": np.where(generator.random(rows) < 0.3 + shift, 0.0, generator.exponential(1, rows)),
        "flag": (generator.random(rows) < 0.2 + shift).astype(np.float64),
        "constant": np.full(rows, float(round(2 * shift))),
        "epoch": generator.integers(1_600_000_000, 1_630_000_000, rows).astype(np.float64),
        "infinite": np.where(generator.random(rows) < 0.1 + shift, np.inf, generator.normal(0, 1, rows)),
    }
    return columns[kind]


@pytest.mark.parametrize(
    "kind", ["continuous", "skewed", "tied", "zero-inflated", "flag", "constant", "epoch", "infinite"]
)
@pytest.mark.parametrize(
    ("baseline_rows", "current_rows"), [(50_000, 20_000), (20_000, 100), (3_000, 700), (1, 1), (2, 5)]
)
def test_the_kolmogorov_smirnov_distance_is_exact_to_a_bin(kind: str, baseline_rows: int, current_rows: int) -> None:
    """Within 1/4096 of scipy for every kind of column; without error for small baselines and few values."""
    generator = np.random.default_rng([baseline_rows, len(kind)])
    found = _assert_bound(_column(kind, baseline_rows, generator), _column(kind, current_rows, generator))
    if baseline_rows <= BINS or kind in ("flag", "constant", "tied"):
        assert found.error <= _ROUNDING


_VALUES = st.lists(
    st.one_of(st.floats(allow_nan=False, allow_infinity=True), st.integers(-3, 3).map(float)), min_size=1, max_size=80
)


@settings(max_examples=100, deadline=None)
@given(baseline=_VALUES, current=_VALUES)
def test_the_distance_of_small_samples_is_exact_for_any_values(baseline: list[float], current: list[float]) -> None:
    """Ties, infinities, signed zeros and subnormal numbers included."""
    found = _assert_bound(np.array(baseline), np.array(current))
    assert found.error <= _ROUNDING


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), where=st.floats(0, 1), rows=st.integers(1, 3_000))
def test_the_bound_holds_for_current_data_inside_one_bin(seed: int, where: float, rows: int) -> None:
    """The worst case: everything between two neighbouring edges."""
    generator = np.random.default_rng(seed)
    baseline = generator.normal(size=20_000)
    known, _ = _numeric(baseline, baseline[:1])
    place = min(int(where * (len(known.edges) - 1)), len(known.edges) - 2)
    low, high = known.edges[place : place + 2]
    current = generator.uniform(low, high, rows)
    assume(bool((current > low).all() and (current < high).all()))
    _assert_bound(baseline, current)


def test_a_flag_that_turns_is_found_in_full() -> None:
    """The case that Model Monitor's library sees as no difference at all."""
    baseline, current = np.repeat([0.0, 1.0], [8_000, 2_000]), np.repeat([0.0, 1.0], [200, 800])
    found = distances.kolmogorov_smirnov(*_numeric(baseline, current))
    assert found.value == pytest.approx(0.6, abs=_ROUNDING)
    assert found.error <= _ROUNDING


@pytest.mark.parametrize("kind", ["continuous", "skewed", "tied", "zero-inflated", "flag", "epoch"])
def test_the_wasserstein_distance_agrees_with_scipy(kind: str) -> None:
    """In standard deviations of the baseline; exact where all values are edges, close where they are not."""
    generator = np.random.default_rng(11)
    for rows, close in ((2_000, 1e-9), (30_000, 0.003)):
        baseline, current = _column(kind, rows, generator), _column(kind, 5_000, generator) * 1.1
        expected = stats.wasserstein_distance(baseline, current) / baseline.std()
        wide = 0.02 if kind != "flag" else 1e-9  # inside the bins, lines stand for steps
        found = distances.wasserstein(*_numeric(baseline, current))
        assert found == pytest.approx(expected, rel=max(close, wide), abs=close)


def test_the_wasserstein_distance_says_when_it_has_no_unit() -> None:
    """A constant baseline has no standard deviation; without change the distance is 0 all the same."""
    assert distances.wasserstein(*_numeric(np.ones(5), np.ones(3))) == 0.0
    assert distances.wasserstein(*_numeric(np.ones(5), np.array([1.0, 2.0]))) is None
    assert distances.wasserstein(*_numeric(np.array([-1e308, 1e308]), np.array([1e308, 1.7e308]))) is not None
    assert distances.wasserstein(*_numeric(np.full(3, np.inf), np.ones(2))) is None


def test_categories_differ_by_their_largest_difference_of_shares() -> None:
    """New categories count like known ones."""
    baseline = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
    assert distances.largest_share_difference(*_categorical(baseline, ["a"] * 5 + ["b"] * 5)).value == pytest.approx(
        0.2
    )
    found = distances.largest_share_difference(*_categorical(baseline, ["a"] * 2 + ["new"] * 8))
    assert found.value == pytest.approx(0.8)
    assert found.error == 0


def test_identifiers_do_not_differ_by_being_new() -> None:
    """In a column where no value comes twice, no category's share has changed."""
    known, window = _categorical([f"id {i}" for i in range(5_000)], [f"id {i}" for i in range(10_000, 11_000)])
    assert distances.largest_share_difference(known, window).value == pytest.approx(0.001)


def test_divergences_of_the_same_data_are_nothing_and_of_other_data_as_scipy_says() -> None:
    """Population Stability Index and Jensen-Shannon come from the same cells."""
    generator = np.random.default_rng(2)
    values = generator.normal(size=20_000)
    cells = distances.numeric_cells(*_numeric(values, values))
    assert cells.baseline.tolist() == pytest.approx([2_000] * 10, abs=10)
    assert distances.population_stability_index(cells) == pytest.approx(0, abs=1e-12)
    assert distances.jensen_shannon(cells) == pytest.approx(0, abs=1e-6)
    cells = distances.category_cells(*_categorical(["a"] * 800 + ["b"] * 200, ["a"] * 200 + ["b"] * 700 + ["c"] * 100))
    p, q = np.array([0.8, 0.2, 0.0]), np.array([0.2, 0.7, 0.1])
    assert distances.jensen_shannon(cells) == pytest.approx(scipy_distance.jensenshannon(p, q, base=2))
    with_ties = distances.numeric_cells(*_numeric(np.repeat([0.0, 1.0], [80, 20]), np.repeat([0.0, 1.0], [30, 70])))
    assert with_ties.current.tolist() == [30, 70]
