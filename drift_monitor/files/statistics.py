"""Model Monitor's statistics.json of a data set, from a profile and back.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
What it cannot hold exactly (a baseline's counts at its edges) stands in profile.npz; a file without it, of a baseline
that Model Monitor made, is read from its sketches.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, members, number
from drift_monitor.files.model_key import ModelKey, column_type, model_key_document, parse_model_key
from drift_monitor.files.sketch import PARAMETERS, read_buckets, read_sketch, sketch_document
from drift_monitor.monitored_model import Answers
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.curve import count_below
from drift_monitor.profile.dataset import ColumnProfile, DatasetProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.schema import Column, ColumnType, DataSchema

_BUCKETS = 10
_LISTED_CATEGORIES = 10_000
_VERSION = 0.0


def statistics_document(profile: DatasetProfile, key: ModelKey) -> Document:
    """statistics.json of a baseline or a window, its columns in the order of the schema."""
    types = {column.name: column.type for column in key.schema.columns}
    return {
        "version": _VERSION,
        "dataset": {"item_count": profile.rows},
        "features": [
            _feature(Column(name, types.get(name, ColumnType.UNKNOWN)), profile.columns[name])
            for name in profile.columns
        ],
        **model_key_document(key),
    }


def parse_statistics(document: Mapping[str, Any]) -> tuple[DatasetProfile, ModelKey]:
    """The profile that the statistics stand for, and what columns they are of.

    Without our key every feature is an input, in the order of the file. Raises BaselineError if the document is none.
    """
    columns: dict[str, ColumnProfile] = {}
    types = []
    for feature in members(document, "features"):
        name = str(feature.get("name"))
        kind = column_type(feature.get("inferred_type"))
        try:
            columns[name] = _column_profile(feature)
        except (KeyError, TypeError, ValueError) as error:
            raise BaselineError(f"statistics of the column {name} are malformed ({error!r})") from None
        types.append(Column(name, kind if isinstance(columns[name], NumericProfile) else ColumnType.STRING))
    if not columns:
        raise BaselineError("the statistics have no features; are they statistics.json of a data quality baseline?")
    rows = int(number(member(document, "dataset").get("item_count")) or 0)
    key = parse_model_key(document) or ModelKey(DataSchema(inputs=tuple(types)), Answers())
    return DatasetProfile(rows=rows, columns=columns, seen=frozenset(columns)), key


def _feature(column: Column, profile: ColumnProfile) -> Document:
    common = {"num_present": profile.present, "num_missing": profile.missing}
    feature: Document = {"name": column.name, "inferred_type": str(column.type)}
    if isinstance(profile, NumericProfile):
        common["num_present"] += profile.mismatched
        return {**feature, "numerical_statistics": {"common": common, **_numbers(profile)}}
    return {**feature, "string_statistics": {"common": common, **_categories(profile)}}


def _numbers(profile: NumericProfile) -> Document:
    moments = profile.moments
    distribution = {"kll": {"buckets": _buckets(profile), "sketch": sketch_document(profile)}}
    return {
        "mean": moments.mean,
        "sum": moments.total,
        "std_dev": moments.std,
        "min": moments.minimum if moments.minimum is not None else 0.0,
        "max": moments.maximum if moments.maximum is not None else 0.0,
        "distribution": distribution,
    }


def _buckets(profile: NumericProfile) -> list[Document]:
    """Ten of equal width; the last one includes its upper bound."""
    least, greatest = profile.moments.minimum, profile.moments.maximum
    if least is None or greatest is None:
        return []
    shares = np.linspace(0.0, 1.0, _BUCKETS + 1)
    # Not by the width, which may be more than a double holds.
    bounds = least * (1 - shares) + greatest * shares
    counts = count_below(profile, bounds)
    counts[-1] = profile.present - profile.positive_infinities
    return [
        {"lower_bound": float(bounds[i]), "upper_bound": float(bounds[i + 1]), "count": float(count)}
        for i, count in enumerate(np.diff(counts))
    ]


def _categories(profile: CategoricalProfile) -> Document:
    counted = dict(zip(profile.categories, profile.counts.tolist(), strict=True)) | dict(profile.new)
    present = sorted((item for item in counted.items() if item[1]), key=lambda item: (-item[1], item[0]))
    buckets = [{"value": value, "count": count} for value, count in present[:_LISTED_CATEGORIES]]
    return {"distinct_count": len(present), "distribution": {"categorical": {"buckets": buckets}}}


def _column_profile(feature: Mapping[str, Any]) -> ColumnProfile:
    numbers = member(feature, "numerical_statistics")
    if numbers:
        return _numeric_profile(numbers)
    texts = member(feature, "string_statistics")
    common = member(texts, "common")
    buckets = members(member(member(texts, "distribution"), "categorical"), "buckets")
    counts = {str(bucket["value"]): int(bucket["count"]) for bucket in buckets}
    categories = tuple(sorted(counts))
    listed = np.array([counts[category] for category in categories], np.int64)
    present = int(number(common.get("num_present")) or 0)
    return CategoricalProfile(
        categories=categories,
        counts=listed,
        new={},
        other=max(0, present - int(listed.sum())),
        missing=int(number(common.get("num_missing")) or 0),
    )


def _numeric_profile(numbers: Mapping[str, Any]) -> NumericProfile:
    missing = int(number(member(numbers, "common").get("num_missing")) or 0)
    kll = member(member(numbers, "distribution"), "kll")
    sketch = member(kll, "sketch")
    if any(sketch.get("data") or ()):
        k = number(member(sketch, "parameters").get("k")) or PARAMETERS["k"]
        return read_sketch(sketch["data"], k=k, missing=missing)
    buckets = members(kll, "buckets")
    uppers = np.array([float(bucket["upper_bound"]) for bucket in buckets])
    counts = np.array([float(bucket["count"]) for bucket in buckets])
    return read_buckets(uppers, counts, missing=missing)
