"""The baseline: what the monitor knows of the data and the model that were approved.

Stored as a folder: `profile.npz` holds the exact counts (written and read by profile/storage.py), the JSON files in
Model Monitor's and Clarify's forms hold the rest (drift_monitor/files). Must not read or write files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from drift_monitor.errors import BaselineError
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.dataset import BaselineProfiler, ColumnProfile, DatasetProfile
from drift_monitor.results import Interval
from drift_monitor.schema import Column, ColumnType, DataSchema

PROFILE_FILE = "profile.npz"


@dataclass(frozen=True, kw_only=True)
class ColumnConstraints:
    """What a column's values must be; one feature of Model Monitor's constraints.json.

    Shares are 0 to 1: `completeness` of present values, `type_share` of present values that have the column's type,
    `domain_share` of present values that are in `domain`. `bounds` are the least and the greatest allowed value.
    None: not checked. `effect_floor` overrides the policy's for this column (Model Monitor's comparison_threshold).
    """

    feature: str
    type: ColumnType
    completeness: float | None = 1.0
    type_share: float | None = 1.0
    domain: tuple[str, ...] | None = None
    domain_share: float | None = 1.0
    bounds: tuple[float, float] | None = None
    non_negative: bool | None = None
    effect_floor: float | None = None


@dataclass(frozen=True, kw_only=True)
class DataConstraints:
    """Constraints of all columns; `rows` is the number of rows that they were derived from, None if unknown."""

    columns: tuple[ColumnConstraints, ...]
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class MetricLimit:
    """One entry of model quality's constraints.json; `operator`: GreaterThanThreshold or LessThanThreshold, which
    names the side that violates."""

    threshold: float
    operator: str


@dataclass(frozen=True, kw_only=True)
class ModelQualityBaseline:
    """Figures of the approved model on its holdout and the limits that the live figures must keep, by metric name."""

    problem_type: str
    rows: int
    metrics: Mapping[str, Interval]
    limits: Mapping[str, MetricLimit] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BiasFigure:
    """One metric of Clarify's analysis.json; `value` is None where it could not be computed."""

    stage: str
    name: str
    facet: str
    facet_value: str
    value: float | None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class AttributionBaseline:
    """Mean absolute contribution of each feature in training, in units of the model's raw output."""

    method: str
    values: Mapping[str, float]
    expected_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """All that later windows are compared with. Parts that were not measured are None.

    `importance`: the model's use of each input as a share of all inputs' (0 to 1).
    """

    schema: DataSchema
    profile: DatasetProfile
    constraints: DataConstraints
    model_quality: ModelQualityBaseline | None = None
    bias: tuple[BiasFigure, ...] | None = None
    attribution: AttributionBaseline | None = None
    importance: Mapping[str, float] | None = None


def build_baseline(batches: Iterable[pa.RecordBatch], *, schema: DataSchema) -> Baseline:
    """The data part of a baseline from the training data.

    Holds every numeric column in memory (8 bytes a value). Columns of the schema that the data never had are left
    out. Raises BaselineError if there is no row or no column of the schema.
    """
    profiler = BaselineProfiler(schema)
    for batch in batches:
        profiler.add(batch)
    profile = profiler.result()
    if not profile.rows:
        raise BaselineError("the baseline's data has no rows; give the data that the model was trained on")
    if not profile.columns:
        wanted = ", ".join(column.name for column in schema.columns)
        raise BaselineError(f"the baseline's data has none of the columns {wanted}; check the names of its header")
    return Baseline(schema=schema, profile=profile, constraints=derive_constraints(profile, schema=schema))


def derive_constraints(profile: DatasetProfile, *, schema: DataSchema) -> DataConstraints:
    """Constraints that the profiled data meets, one for each of its columns."""
    known = [column for column in schema.columns if column.name in profile.columns]
    columns = tuple(_constraints(column, profile.columns[column.name]) for column in known)
    return DataConstraints(columns=columns, rows=profile.rows)


def _constraints(column: Column, profile: ColumnProfile) -> ColumnConstraints:
    rows = profile.present + profile.missing
    if isinstance(profile, CategoricalProfile):
        return ColumnConstraints(
            feature=column.name,
            type=column.type,
            completeness=_share(profile.present, rows),
            type_share=None,
            domain=profile.categories,
            domain_share=1 - _unseen_share(profile),
        )
    read = profile.present + profile.mismatched
    wrong = profile.mismatched + (profile.fractional if column.type is ColumnType.INTEGRAL else 0)
    least, greatest = profile.moments.minimum, profile.moments.maximum
    return ColumnConstraints(
        feature=column.name,
        type=column.type,
        completeness=_share(read, rows + profile.mismatched),
        type_share=_share(read - wrong, read),
        bounds=None if least is None or greatest is None else (least, greatest),
        non_negative=profile.negative == 0 if profile.present else None,
    )


def _unseen_share(profile: CategoricalProfile) -> float:
    """How often a value of the same distribution has a category that did not occur: Good and Turing's estimate, the
    share of categories that occurred once. Of identifiers, that is every value."""
    once = int((profile.counts == 1).sum())
    return min(1.0, _share(once + profile.other, profile.present)) if profile.present else 1.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
