"""Counts of numeric columns at the baseline's edges."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_monitor.errors import BaselineError
from drift_monitor.profile import counter, edge_grid
from drift_monitor.profile.curve import count_below, quantiles
from drift_monitor.profile.dataset import Profiler
from drift_monitor.profile.numeric import BINS, NumericProfile, profile_of_weighted
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, baseline_profile, batch, schema_of, window_profile

_NUMBER = schema_of(x=ColumnType.FRACTIONAL)


def _profiles(baseline: Values, current: Values, *, rows_at_once: int = 10**9) -> tuple[NumericProfile, NumericProfile]:
    known = baseline_profile({"x": baseline}, _NUMBER)
    window = window_profile({"x": current}, known.anchors, rows_at_once=rows_at_once)
    first, second = known.columns["x"], window.columns["x"]
    assert isinstance(first, NumericProfile)
    assert isinstance(second, NumericProfile)
    return first, second


def test_fewer_than_a_bins_share_of_a_large_baseline_lies_between_two_edges() -> None:
    """The guarantee on the distance's error rests on this."""
    values = np.random.default_rng(1).lognormal(size=300_000)
    known, _ = _profiles(values, values[:1])
    inside = known.below[1:] - known.up_to[:-1]
    assert len(known.edges) == BINS + 1
    assert inside.max() < len(values) / BINS
    assert (known.edges[0], known.edges[-1]) == (values.min(), values.max())


def test_a_baseline_of_few_distinct_values_has_them_all_as_edges() -> None:
    """Codes, counts and small samples are compared exactly, however many rows there are."""
    values = np.random.default_rng(2).integers(0, 50, 200_000)
    known, _ = _profiles(values, values[:1])
    assert known.edges.tolist() == list(range(50))
    assert np.array_equal(known.up_to - known.below, np.bincount(values))


@pytest.mark.parametrize("kind", [np.int64, np.float64])
@pytest.mark.parametrize("unit", [1, 1_000_003, 10**10])
def test_counts_at_every_edge_are_those_of_a_direct_comparison(kind: type[np.generic], unit: int) -> None:
    """Every way of counting, by tally and by sorting in 32 or 64 bits, agrees with the definition, values outside of
    the edges included."""
    generator = np.random.default_rng(3)
    baseline, values = unit * generator.integers(-40, 40, 5_000), unit * generator.integers(-60, 70, 20_000)
    known, window = _profiles(baseline, values.astype(kind))
    assert window.below.tolist() == [(values < edge).sum() for edge in known.edges]
    assert window.up_to.tolist() == [(values <= edge).sum() for edge in known.edges]
    assert (window.present, window.negative) == (len(values), (values < 0).sum())
    assert window.excess_above == pytest.approx(np.maximum(values - known.edges[-1], 0).sum())
    assert window.excess_below == pytest.approx(np.maximum(known.edges[0] - values, 0).sum())
    assert window.moments.total == values.sum()
    assert (window.moments.minimum, window.moments.maximum) == (values.min(), values.max())
    assert window.moments.std == pytest.approx(values.std(), rel=1e-12)


def test_a_column_may_change_its_type_between_batches() -> None:
    """One file of a window has whole numbers, the next one the same column with nulls, which made it float64."""
    whole, broken = np.arange(-5, 300), pa.array([1.5, None, -2.0, None, 7.0])
    known = baseline_profile({"x": np.arange(100.0)}, _NUMBER)
    profiler = Profiler(known.anchors)
    for values in (whole, broken, whole):
        profiler.add(batch({"x": values}))
    window = profiler.result().columns["x"]
    everything = np.concatenate((whole, [1.5, -2.0, 7.0], whole))
    assert isinstance(window, NumericProfile)
    assert (window.present, window.missing) == (len(everything), 2)
    assert window.below.tolist() == [(everything < edge).sum() for edge in window.edges]
    assert window.moments.mean == pytest.approx(everything.mean())


_VALUES = st.lists(
    st.one_of(
        st.floats(allow_nan=True, allow_infinity=True),
        st.integers(-5, 5).map(float),
        st.sampled_from([1e308, -1e308, 0.0, -0.0, 5e-324]),
    ),
    min_size=1,
    max_size=300,
)


@settings(max_examples=150, deadline=None)
@given(
    baseline=_VALUES,
    current=_VALUES,
    rows_at_once=st.integers(1, 400),
    large=st.sampled_from([1, 50, 10_000]),
    ties=st.integers(1, 30),
)
def test_any_values_are_counted_as_defined(
    baseline: list[float], current: list[float], rows_at_once: int, large: int, ties: int
) -> None:
    """At every edge, infinite ones too: by the grid, by sorting, and both in turn as batches are large or small."""
    values = np.repeat(np.array(current + baseline[:5]), ties)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "_LARGE", large)
        patch.setattr(counter, "_BLOCK", 2 * large)
        patch.setattr(edge_grid, "_FEWEST", 2)
        known, window = _profiles(np.array(baseline), values, rows_at_once=rows_at_once)
    numbers = values[~np.isnan(values)]
    finite = numbers[np.isfinite(numbers)]
    assert window.below.tolist() == [(numbers < edge).sum() for edge in known.edges]
    assert window.up_to.tolist() == [(numbers <= edge).sum() for edge in known.edges]
    assert (window.present, window.missing) == (len(numbers), len(values) - len(numbers))
    assert window.negative == (numbers < 0).sum()
    assert window.positive_infinities == (numbers == np.inf).sum()
    assert window.negative_infinities == (numbers == -np.inf).sum()
    assert known.fractional == sum(value != int(value) for value in baseline if np.isfinite(value))
    assert (window.moments.minimum, window.moments.maximum) == (
        (finite.min(), finite.max()) if len(finite) else (None, None)
    )


@settings(max_examples=80, deadline=None)
@given(baseline=_VALUES, current=_VALUES, cut=st.integers(0, 300), rows_at_once=st.integers(1, 400))
def test_merged_parts_equal_the_whole_for_any_values(
    baseline: list[float], current: list[float], cut: int, rows_at_once: int
) -> None:
    """Hours add up to the day exactly, in either order and however the rows were batched."""
    known, whole = _profiles(np.array(baseline), np.array(current))
    parts = [
        _profiles(np.array(baseline), np.array(part), rows_at_once=rows_at_once)[1]
        for part in (current[:cut], current[cut:])
    ]
    for merged in (parts[0].merge(parts[1]), parts[1].merge(parts[0])):
        assert np.array_equal(merged.below, whole.below)
        assert np.array_equal(merged.up_to, whole.up_to)
        for name in ("present", "missing", "negative", "fractional", "positive_infinities", "negative_infinities"):
            assert getattr(merged, name) == getattr(whole, name), name
        assert merged.moments.minimum == whole.moments.minimum
        assert merged.moments.maximum == whole.moments.maximum
        scale = max(abs(whole.moments.minimum or 0), abs(whole.moments.maximum or 0))
        assert merged.moments.mean == pytest.approx(whole.moments.mean, rel=1e-9, abs=1e-12 * scale)
        assert merged.moments.std == pytest.approx(whole.moments.std, rel=1e-6, abs=1e-7 * scale)
    assert known.present + known.missing == len(baseline)


def test_infinities_nan_and_the_largest_doubles_do_not_break_the_moments() -> None:
    """NaN is missing, infinities are counted, and moments are those of the finite values without overflow."""
    values = np.array([1e308, -1e308, 1e308, np.inf, -np.inf, np.nan, 1e308])
    known, window = _profiles(values, values)
    assert (known.present, known.missing) == (6, 1)
    assert (known.positive_infinities, known.negative_infinities) == (1, 1)
    assert known.moments.mean == pytest.approx(0.5e308)
    assert known.moments.std == pytest.approx(np.std([1, -1, 1, 1]) * 1e308)
    assert np.isfinite(window.merge(window).moments.std)
    assert np.isfinite(window.merge(window).moments.total)


def test_a_large_window_of_one_batch_is_counted_as_defined() -> None:
    """Through the grid as it is in production, with ties at edges, outliers, nulls, infinities on both sides, and a
    column that the grid gives up."""
    generator = np.random.default_rng(6)
    for finite in (generator.normal(size=60_000), np.exp(4 * generator.normal(size=60_000))):
        baseline = np.concatenate((finite, [np.inf, -np.inf]))
        values = np.concatenate((1.3 * finite, finite[:3_000], [1e300, -1e300]))
        mask = generator.random(len(values)) < 0.1
        for extra in ([], [np.inf, -np.inf, -np.inf]):
            batch_values = pa.array(np.append(values, extra), mask=np.append(mask, np.zeros(len(extra), np.bool_)))
            known, window = _profiles(baseline, batch_values)
            ordered = np.sort(np.append(values[~mask], extra))
            assert np.array_equal(window.below, ordered.searchsorted(known.edges, "left"))
            assert np.array_equal(window.up_to, ordered.searchsorted(known.edges, "right"))
            assert (window.present, window.missing) == (len(ordered), mask.sum())


def test_a_constant_column_has_no_spread_at_all() -> None:
    """0.1 has no exact sum, but its standard deviation is 0, merged as well."""
    known, window = _profiles(np.full(30_001, 0.1), np.full(77, 0.1))
    assert known.edges.tolist() == [0.1]
    merged = known.merge(window)
    assert (merged.moments.mean, merged.moments.std) == (0.1, 0.0)


@pytest.mark.parametrize(
    ("array", "present", "missing", "mismatched"),
    [
        (pa.array(["1", " 2.5 ", "1e3", "", None, "inf", "nan"]), 4, 3, 0),
        (pa.array(["1", "2.5", "n/a", "1_000", "\u0663", "0x10", ""]), 2, 1, 4),
        (pa.array([True, None, False]), 2, 1, 0),
        (pa.array(["7", "x", None]).dictionary_encode(), 1, 1, 1),
        (pa.array([1, None, 3], pa.uint64()), 2, 1, 0),
        (pa.array([1, 2, None], pa.date32()), 2, 1, 0),
        (pa.array([1, 2, None], pa.timestamp("us")), 2, 1, 0),
        (pa.nulls(3), 0, 3, 0),
        (pa.array([1.5, None, 2.5], pa.float32()).slice(1), 1, 1, 0),
        (pa.array([[1], None, [2]]), 0, 1, 2),
        (pa.array([b"1", None]), 0, 1, 1),
    ],
    ids=str,
)
def test_any_arrow_type_is_counted_as_numbers(array: pa.Array, present: int, missing: int, mismatched: int) -> None:
    """Texts are parsed, and what is no number is counted apart instead of raising."""
    _, window = _profiles(np.arange(10.0), array)
    assert (window.present, window.missing, window.mismatched) == (present, missing, mismatched)


def test_profiles_of_different_baselines_do_not_merge() -> None:
    """Adding counts at different edges would be nonsense, so it is refused."""
    one, _ = _profiles(np.arange(10.0), np.arange(3.0))
    other, _ = _profiles(np.arange(11.0), np.arange(3.0))
    with pytest.raises(BaselineError, match="different baselines"):
        one.merge(other)


def test_a_sketch_becomes_a_profile_with_its_ties() -> None:
    """Model Monitor's sketches are weighted values; the profile has their counts and their error."""
    profile = profile_of_weighted(
        np.array([0.0, 1.0, 2.5]), np.array([700.0, 200.0, 100.0]), missing=5, rank_error=0.001
    )
    assert profile.below.tolist() == [0, 700, 900]
    assert profile.up_to.tolist() == [700, 900, 1000]
    assert profile.moments.mean == pytest.approx(0.45)
    assert profile.moments.std == pytest.approx(np.std(np.repeat([0, 1, 2.5], [700, 200, 100])))
    assert (profile.present, profile.missing, profile.fractional, profile.rank_error) == (1000, 5, 100, 0.001)


def test_quantiles_and_counts_follow_the_curve() -> None:
    """Between the edges the curve is straight, so quantiles of many values are close and counts at edges exact."""
    values = np.random.default_rng(5).normal(size=50_000)
    known, window = _profiles(values, values + 0.5)
    shares = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
    assert quantiles(window, shares) == pytest.approx(np.quantile(values + 0.5, shares), abs=0.01)
    assert count_below(known, known.edges[::500]).tolist() == known.below[::500].tolist()
    assert count_below(window, np.array([-1e9, 0.25, 1e9])) == pytest.approx(
        [0, (values + 0.5 < 0.25).sum(), 50_000], abs=20
    )
    empty = window_profile({"x": np.empty(0)}, baseline_profile({"x": values}, _NUMBER).anchors).columns["x"]
    assert isinstance(empty, NumericProfile)
    assert not len(quantiles(empty, shares))
