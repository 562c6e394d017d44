"""Counts of categorical columns in bounded memory."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_monitor.profile import categorical
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.dataset import Profiler
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, baseline_profile, batch, schema_of, window_profile

_TEXT = schema_of(s=ColumnType.STRING)
_BASELINE = ["a", "b", "b", "c"]


def _window(current: Values, *, rows_at_once: int = 10**9) -> CategoricalProfile:
    known = baseline_profile({"s": _BASELINE}, _TEXT)
    profile = window_profile({"s": current}, known.anchors, rows_at_once=rows_at_once).columns["s"]
    assert isinstance(profile, CategoricalProfile)
    return profile


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["b", "a", None, "new", "b"]),
        pa.array(["b", "a", None, "new", "b"], pa.large_string()),
        pa.array(["b", "a", None, "new", "b"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, 0], pa.int8()), pa.array(["b", "a", None, "new"])),
        pa.array(["x", "b", "a", None, "new", "b"]).dictionary_encode().slice(1),
    ],
    ids=["text", "large text", "dictionary", "null in the dictionary", "slice"],
)
def test_texts_are_counted_however_arrow_holds_them(array: pa.Array) -> None:
    """Known categories stand in the baseline's order, new ones by name."""
    profile = _window(array)
    assert profile.categories == ("a", "b", "c")
    assert profile.counts.tolist() == [1, 2, 0]
    assert (profile.new, profile.other, profile.missing, profile.present) == ({"new": 1}, 0, 1, 4)


def test_large_dictionary_batches_are_counted_without_decoding() -> None:
    """The short cut for Parquet's dictionaries gives the same counts, also when the next row group has another one."""
    indices = pa.array(np.random.default_rng(1).integers(0, 4, 100_000), pa.int32())
    expected = np.bincount(np.asarray(indices))
    anchors = baseline_profile({"s": _BASELINE}, _TEXT).anchors
    profiler = Profiler(anchors)
    for names in (["a", "b", "c", "d"], ["a", "b", "c", "d"], ["d", "c", "b", "a"]):
        profiler.add(batch({"s": pa.DictionaryArray.from_arrays(indices, pa.array(names))}))
    profile = profiler.result().columns["s"]
    assert isinstance(profile, CategoricalProfile)
    assert [*profile.counts.tolist(), profile.new["d"]] == (2 * expected + expected[::-1]).tolist()


@pytest.mark.parametrize(
    ("array", "new"),
    [
        (pa.array([True, False, True, None]), {"false": 1, "true": 2}),
        (pa.array([3, 3, None, 4]), {"3": 2, "4": 1}),
        (pa.array([b"\xff", b"\xff", b"z"]), {"b'\\xff'": 2, "b'z'": 1}),
        (pa.array([[1], [1], None]), {"[1]": 2}),
    ],
    ids=["booleans", "codes", "bytes", "lists"],
)
def test_other_types_count_by_their_text(array: pa.Array, new: dict[str, int]) -> None:
    """Nothing that a file may hold raises."""
    profile = _window(array)
    assert (profile.new, profile.missing) == (new, array.null_count)


def test_bytes_that_are_no_utf8_in_a_text_column_are_replaced() -> None:
    """Parquet files declare text without proving it."""
    text = pa.array([b"\xffx", b"a"]).view(pa.string())
    assert _window(text).new == {"\ufffdx": 1}


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.sampled_from([*"abcdefghijklmnopqrstuvwxyz"])), max_size=200),
    cut=st.integers(0, 200),
    rows_at_once=st.integers(1, 250),
)
def test_merged_parts_equal_the_whole_even_beyond_the_limit(
    values: list[str | None], cut: int, rows_at_once: int
) -> None:
    """Which new categories are kept does not depend on order or batches, and their counts are exact."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(categorical, "NEW_CATEGORY_LIMIT", 4)
        patch.setattr(categorical.CategoricalCounter.__init__, "__kwdefaults__", {"limit": 4})
        patch.setattr(categorical, "_BLOCK", 16)
        whole = _window(pa.array(values, pa.string()))
        one, other = (
            _window(pa.array(part, pa.string()), rows_at_once=rows_at_once) for part in (values[:cut], values[cut:])
        )
        for merged in (one.merge(other), other.merge(one)):
            assert merged.counts.tolist() == whole.counts.tolist()
            assert (dict(merged.new), merged.other, merged.missing) == (dict(whole.new), whole.other, whole.missing)
    assert len(whole.new) <= 4
    assert all(count == values.count(name) for name, count in whole.new.items())
    assert whole.present + whole.missing == len(values)
