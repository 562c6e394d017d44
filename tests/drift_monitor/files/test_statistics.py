"""statistics.json: sketches from exact counts and back, and Model Monitor's own files."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drift_monitor.drift.detection import detect
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.errors import BaselineError
from drift_monitor.files.model_key import ModelKey
from drift_monitor.files.statistics import parse_statistics, statistics_document
from drift_monitor.monitored_model import Answers
from drift_monitor.profile.curve import count_below
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.schema import ColumnType
from tests.drift_monitor.files.documented import STATISTICS, check
from tests.drift_monitor.profiles import baseline_profile, schema_of, window_profile

SCHEMA = schema_of(x=ColumnType.FRACTIONAL)


def _document(values: NDArray[Any] | list[Any]) -> dict[str, Any]:
    return statistics_document(baseline_profile({"x": values}, SCHEMA), ModelKey(SCHEMA, Answers()))


def _numbers(document: dict[str, Any]) -> dict[str, Any]:
    numbers: dict[str, Any] = document["features"][0]["numerical_statistics"]
    return numbers


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).normal(size=20_000),
        np.random.default_rng(2).poisson(3.0, 5_000).astype(float),
        np.where(np.random.default_rng(3).random(10_000) < 0.7, 0.0, np.random.default_rng(4).random(10_000)),
        np.array([0.0] * 80 + [1.0] * 20),
        np.full(1_000, 7.5),
        np.array([3.0]),
        np.array([-1.7e308, 1.7e308, 0.0]),
    ],
    ids=["continuous", "counts", "zero-inflated", "flag", "constant", "single", "huge"],
)
def test_a_sketch_holds_every_value_at_its_place(values: NDArray[np.float64]) -> None:
    """Level i weighs 2**i: weights add up to the rows, and no rank is off by more than the sketch admits."""
    document = _document(values)
    check(document, STATISTICS)
    kll = _numbers(document)["distribution"]["kll"]

    weights = sum(len(level) * 2**number for number, level in enumerate(kll["sketch"]["data"]))
    assert weights == len(values)
    assert sum(bucket["count"] for bucket in kll["buckets"]) == pytest.approx(len(values))
    assert len(kll["buckets"]) == 10
    profile, _ = parse_statistics(document)
    read = profile.columns["x"]
    assert isinstance(read, NumericProfile)
    points = np.unique(values)
    exact = np.searchsorted(np.sort(values), points, "right") / len(values)
    sketched = count_below(read, np.nextafter(points, np.inf)) / len(values)
    assert np.abs(exact - sketched).max() <= read.rank_error <= 0.0015


def test_ties_of_different_levels_are_added_up() -> None:
    """A flag from .2 to .8 gives 0.6 also from a sketch in which both values stand on every level."""
    flags = {"buckets": [], "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[0.0, 1.0]] * 9}}
    zeros = [[0.0] if 800 >> level & 1 else [] for level in range(10)]
    ones = [[1.0] if 200 >> level & 1 else [] for level in range(10)]
    flags["sketch"] = {"parameters": {"k": 2048.0}, "data": [a + b for a, b in zip(zeros, ones, strict=True)]}
    document = {
        "version": 0.0,
        "dataset": {"item_count": 1000},
        "features": [
            {
                "name": "x",
                "inferred_type": "Integral",
                "numerical_statistics": {
                    "common": {"num_present": 1000, "num_missing": 3},
                    "distribution": {"kll": flags},
                },
            }
        ],
    }
    baseline, key = parse_statistics(document)

    window = window_profile({"x": [0] * 200 + [1] * 800}, baseline.anchors)
    (feature,) = detect(baseline, window, policy=AlarmPolicy())
    assert feature.distance == pytest.approx(0.6)
    assert baseline.columns["x"].missing == 3
    assert key.schema.inputs[0].type is ColumnType.INTEGRAL


def test_a_file_without_a_sketch_is_read_from_its_buckets() -> None:
    """Then a rank may be off by a whole bucket, and the error says so."""
    document = _document(np.arange(1000.0))
    del _numbers(document)["distribution"]["kll"]["sketch"]
    profile, _ = parse_statistics(document)

    read = profile.columns["x"]
    assert isinstance(read, NumericProfile)
    assert read.present == 1000
    assert read.rank_error == pytest.approx(0.1)


@pytest.mark.parametrize("values", [[None, None], [math.nan]], ids=["null", "nan"])
def test_a_column_without_values_is_written_and_read(values: list[Any]) -> None:
    """No values is a legal column, with zeros where Model Monitor wants numbers."""
    document = _document(np.array(values, dtype=float))
    check(document, STATISTICS)
    profile, _ = parse_statistics(document)
    assert profile.columns["x"].present == 0
    assert profile.columns["x"].missing == len(values)


def test_only_the_most_frequent_categories_are_listed() -> None:
    """Of identifiers the file lists 10,000; when it is read, the others are counted together."""
    schema = schema_of(x=ColumnType.STRING)
    names = [f"id-{number}" for number in range(12_000)]
    document = statistics_document(baseline_profile({"x": names}, schema), ModelKey(schema, Answers()))
    check(document, STATISTICS)
    texts = document["features"][0]["string_statistics"]
    assert texts["distinct_count"] == 12_000
    assert len(texts["distribution"]["categorical"]["buckets"]) == 10_000
    profile, _ = parse_statistics(document)
    assert profile.columns["x"].present == 12_000


@pytest.mark.parametrize(
    "feature",
    [
        {"name": "x", "numerical_statistics": {"distribution": {"kll": {"sketch": {"data": [["a"]]}}}}},
        {"name": "x", "numerical_statistics": {"distribution": {"kll": {"buckets": [{"count": 1}]}}}},
        {"name": "x", "string_statistics": {"distribution": {"categorical": {"buckets": [{"value": "a"}]}}}},
    ],
)
def test_malformed_statistics_name_the_column(feature: dict[str, Any]) -> None:
    """What cannot be read is an error that names the column."""
    with pytest.raises(BaselineError, match="column x are malformed"):
        parse_statistics({"features": [feature]})
