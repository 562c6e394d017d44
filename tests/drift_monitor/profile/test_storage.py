"""Profiles as files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.errors import BaselineError
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.dataset import DatasetProfile, merge
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.profile.storage import (
    read_baseline_profile,
    read_window_profile,
    write_baseline_profile,
    write_window_profile,
)
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, baseline_profile, schema_of, window_profile

_SCHEMA = schema_of(x=ColumnType.FRACTIONAL, s=ColumnType.STRING, n=ColumnType.INTEGRAL, empty=ColumnType.FRACTIONAL)


def _columns(rows: int, seed: int) -> dict[str, Values]:
    generator = np.random.default_rng(seed)
    return {
        "x": np.append(generator.normal(size=rows - 2), [np.inf, np.nan]),
        "s": pa.array(generator.choice(["red", "gr\u00fcn", "", f"only {seed}"], rows).tolist()),
        "n": generator.integers(0, 9, rows),
        "empty": pa.nulls(rows, pa.float64()),
    }


def _same(one: DatasetProfile, other: DatasetProfile) -> bool:
    assert (one.rows, one.seen, one.extra, list(one.columns)) == (
        other.rows,
        other.seen,
        other.extra,
        list(other.columns),
    )
    for name, column in one.columns.items():
        second = other.columns[name]
        for field, value in vars(column).items():
            same = (
                np.array_equal(value, vars(second)[field])
                if isinstance(value, np.ndarray)
                else value == vars(second)[field]
            )
            assert same, (name, field)
    return True


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Edges, counts, moments and categories, all-null and infinite columns included, and the same bytes each time."""
    profile = baseline_profile(_columns(9_000, 1), _SCHEMA)
    for name in ("one.npz", "two.npz"):
        write_baseline_profile(profile, tmp_path / name)
    assert _same(read_baseline_profile(tmp_path / "one.npz"), profile)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_hours_that_were_stored_add_up_to_the_day(tmp_path: Path) -> None:
    """A day comes from the files of its hours: same counts as from reading the rows at once."""
    known = baseline_profile(_columns(9_000, 1), _SCHEMA)
    hours = [{**_columns(500, seed), "surprise": np.arange(500)} for seed in range(2, 8)]
    for number, columns in enumerate(hours):
        write_window_profile(window_profile(columns, known.anchors), tmp_path / f"{number}.npz")
    stored = [read_window_profile(tmp_path / f"{number}.npz", anchors=known.anchors) for number in range(6)]
    whole = window_profile(
        {name: pa.concat_arrays([pa.array(hour[name]) for hour in hours]) for name in hours[0]}, known.anchors
    )
    for order in (stored, stored[::-1]):
        merged = merge(order)
        assert (merged.rows, merged.extra, merged.seen) == (whole.rows, whole.extra, whole.seen)
        for name, column in whole.columns.items():
            other = merged.columns[name]
            if isinstance(column, NumericProfile) and isinstance(other, NumericProfile):
                assert np.array_equal(column.below, other.below)
                assert np.array_equal(column.up_to, other.up_to)
                assert other.moments.mean == pytest.approx(column.moments.mean, rel=1e-9)
            elif isinstance(column, CategoricalProfile) and isinstance(other, CategoricalProfile):
                assert np.array_equal(column.counts, other.counts)
                assert column.new == other.new


def test_a_window_of_another_baseline_is_refused(tmp_path: Path) -> None:
    """After a release there is a new baseline, and old counts mean something else."""
    known = baseline_profile(_columns(9_000, 1), _SCHEMA)
    write_window_profile(window_profile(_columns(500, 2), known.anchors), tmp_path / "hour.npz")
    other = baseline_profile(_columns(9_001, 1), _SCHEMA)
    with pytest.raises(BaselineError, match=r"hour\.npz.*another baseline"):
        read_window_profile(tmp_path / "hour.npz", anchors=other.anchors)


@pytest.mark.parametrize(
    "content", [None, b"", b"PK\x03\x04 torn", b"not an archive"], ids=["missing", "empty", "torn", "text"]
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """The error says which file and what to do, never a decoder's exception."""
    path = tmp_path / "profile.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BaselineError, match=r"profile\.npz.*build the baseline again"):
        read_baseline_profile(path)


def test_a_file_cut_anywhere_is_an_error_of_the_baseline(tmp_path: Path) -> None:
    """An upload that broke off must not crash the job or, worse, be read as counts."""
    profile = baseline_profile(_columns(300, 1), _SCHEMA)
    path = tmp_path / "profile.npz"
    write_baseline_profile(profile, path)
    content = path.read_bytes()
    for length in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:length])
        with pytest.raises(BaselineError):
            read_baseline_profile(path)


def test_merging_nothing_is_an_error() -> None:
    """There is no profile of no profiles: its columns are unknown."""
    with pytest.raises(BaselineError, match="no profile"):
        merge([])
