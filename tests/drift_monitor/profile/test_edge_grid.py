"""Counts between edges without sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_monitor.profile import edge_grid
from drift_monitor.profile.edge_grid import grid_of

_FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-10, 10),
    st.integers(-5, 5).map(float),
    st.sampled_from([0.1, 1e308, -1e308, -0.0, 5e-324, 1e16 + 2, 1.6e9 + 1]),
)


@settings(max_examples=300, deadline=None)
@given(
    edges=st.lists(_FINITE, min_size=2, max_size=80),
    others=st.lists(_FINITE, max_size=80),
    cells=st.sampled_from([1, 2, 7, 64, edge_grid._CELLS]),
)
def test_any_value_is_placed_exactly_or_handed_back(edges: list[float], others: list[float], cells: int) -> None:
    """Values at an edge, one rounding step beside it, and far outside of all edges, however many share a cell."""
    unique = np.unique(edges)
    with np.errstate(over="ignore"):
        values = np.concatenate((unique, np.nextafter(unique, -np.inf), np.nextafter(unique, np.inf), others))
    values = values[np.isfinite(values)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_grid, "_CELLS", cells)
        patch.setattr(edge_grid, "_FEWEST", 2)
        grid = grid_of(unique)
        if grid is None:
            return
        counts, rest = grid.count(values)
    assert counts.sum() + len(rest) == len(values)
    cumulative = np.cumsum(counts)
    for index, edge in enumerate(unique):
        assert cumulative[2 * index] + (rest < edge).sum() == (values < edge).sum()
        assert cumulative[2 * index + 1] + (rest <= edge).sum() == (values <= edge).sum()


def test_almost_no_value_of_a_usual_column_is_handed_back() -> None:
    """Else the grid would cost time instead of saving it."""
    generator = np.random.default_rng(1)
    cents = np.round(generator.gamma(2.0, 20.0, 300_000), 2)
    for values in (generator.normal(size=300_000), generator.lognormal(size=300_000), cents):
        grid = grid_of(np.unique(np.quantile(values, np.linspace(0, 1, 4097), method="lower")))
        assert grid is not None
        assert len(grid.count(values)[1]) < 0.05 * len(values)


@pytest.mark.parametrize("edges", [[3.0], [-1e308, 1e308], [0.0, 5e-324]], ids=str)
def test_edges_that_no_grid_can_hold(edges: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Widths that are nothing, infinite, or too small to divide by."""
    monkeypatch.setattr(edge_grid, "_FEWEST", 1)
    assert grid_of(np.array(edges)) is None
