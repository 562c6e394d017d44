"""What an analysis says: the one model behind the report, the Model Monitor files, the metrics and the HTML page.

Plain frozen data; must not compute, read or write. `None` stands for "cannot be said", never for zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """INSUFFICIENT_DATA is an answer of its own: too few rows to say anything, so nothing is raised."""

    OK = "ok"
    VIOLATION = "violation"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that is judged: `start` included, `end` not; both in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its 95 % interval, which is missing where no interval can be given."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class FeatureDrift:
    """How far one column of the window is from the baseline.

    `distance`: Kolmogorov-Smirnov for numbers, largest difference of shares for categories; 0 to 1, and the true
    distance is at most `distance_error` greater. `q_value` is `p_value` under false-discovery control over all
    columns. `effect_floor`: a smaller distance is never a violation. `importance`: the model's use of the column as a
    share of all columns' (0 to 1). `windows`: in how many windows in a row, this one included, the column stood out;
    `since`: start of the first of them. VIOLATION needs as many windows as the policy says, `stands_out` only this one.
    """

    feature: str
    kind: str  # "numeric" or "categorical"
    verdict: Verdict
    stands_out: bool
    baseline_rows: int
    current_rows: int
    distance: float | None
    distance_error: float
    p_value: float | None
    q_value: float | None
    effect_floor: float
    population_stability_index: float | None = None
    jensen_shannon: float | None = None
    wasserstein: float | None = None  # in units of the baseline's standard deviation
    importance: float | None = None
    windows: int = 0
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """A rule about one column that needs no distribution.

    `check` is a constraint_check_type of Model Monitor: data_type_check, completeness_check, missing_column_check,
    extra_column_check, categorical_values_check; or range_check, which is ours. `observed` and `expected`: shares of
    the values that keep the rule, 0 to 1; None for the columns' being there at all. `stands_out`: the rule is broken in
    this window; `windows` and `since` are those of FeatureDrift.
    """

    feature: str
    check: str
    verdict: Verdict
    observed: float | None
    expected: float | None
    description: str
    stands_out: bool = False
    windows: int = 0
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class QualityMetric:
    """A figure of model quality in the window; `limit` with `operator` ("GreaterThanThreshold", "LessThanThreshold")
    is the constraint that it may break. A violation needs the whole interval on the wrong side.

    The operator LessThanLowerOrGreaterThanUpperThreshold (a signed figure, such as bias) allows -`limit` to +`limit`.
    `standard_deviation` is Model Monitor's: over five random 80 % samples, None below 200 rows.
    """

    name: str
    verdict: Verdict
    observed: Interval
    baseline: float | None
    limit: float | None
    operator: str | None
    standard_deviation: float | None = None


@dataclass(frozen=True, kw_only=True)
class LabelCoverage:
    """How many predictions of the window have a label, and how long labels took; `lateness_seconds_p95` of those."""

    predictions: int
    labelled: int
    unmatched_labels: int
    lateness_seconds_p50: float | None = None
    lateness_seconds_p95: float | None = None

    @property
    def share(self) -> float | None:
        """0 to 1; None without predictions."""
        return self.labelled / self.predictions if self.predictions else None


@dataclass(frozen=True, kw_only=True)
class ModelQuality:
    """`problem_type`: Regression, BinaryClassification or MulticlassClassification. `estimated` is true for figures
    that were derived without labels. `confusion`: counts by actual and predicted class, for classifiers. `curves`:
    points by axis under Model Monitor's names (receiver_operating_characteristic_curve, precision_recall_curve)."""

    problem_type: str
    verdict: Verdict
    rows: int
    coverage: LabelCoverage
    metrics: tuple[QualityMetric, ...]
    estimated: bool = False
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BiasMetric:
    """A bias metric of Clarify's names (DPPL, DI, AD, ...) for one facet value; `stage` is pre_training or
    post_training; `reason` says why there is no value (a group that is too small, a division by zero)."""

    stage: str
    name: str
    description: str
    facet: str
    facet_value: str
    verdict: Verdict
    observed: Interval
    baseline: float | None
    allowed: tuple[float, float] | None
    group_rows: int
    other_rows: int
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class AttributionDrift:
    """Whether the model uses its inputs as it did in training: NDCG of the rankings, 1 for the same order.

    `baseline` and `current`: mean absolute contribution of each feature, in units of the model's raw output.
    `ndcg_low` and `ndcg_high`: its 95 % interval over the rows. `reason` says why there is no NDCG.
    """

    verdict: Verdict
    ndcg: float | None
    threshold: float
    rows: int
    method: str
    baseline: Mapping[str, float]
    current: Mapping[str, float]
    ndcg_low: float | None = None
    ndcg_high: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaptureHealth:
    """What became of the captured events, or of a table's rows (then `events` is 0).

    `repeated_files`: copies of other files, which were not read. `without_input`, `without_output`: events of which
    that side was not captured; the other one is used all the same. `wrong_columns`: events (or rows) whose input
    cannot be read. `problems`: reason -> count, with an example each in `examples`.
    """

    files: int = 0
    repeated_files: int = 0
    events: int = 0
    rows: int = 0
    unreadable_lines: int = 0
    outside_window: int = 0
    without_input: int = 0
    without_output: int = 0
    wrong_columns: int = 0
    empty_hours: tuple[str, ...] = ()
    problems: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def unusable_share(self) -> float | None:
        """Share of the events (or rows) that gave nothing, 0 to 1; None if there were none."""
        # At least so many have neither side; exact if one side is not captured at all.
        without_both = max(0, self.without_input + self.without_output - self.events)
        lost = self.unreadable_lines + self.wrong_columns + without_both
        read = self.events if self.events else self.rows + self.wrong_columns
        return lost / (read + self.unreadable_lines) if read + self.unreadable_lines else None

    @property
    def captured_side(self) -> str | None:
        """ "input" or "output" if the other one was captured of no event at all."""
        if not self.events or self.without_input == self.without_output:
            return None
        return {self.without_input: "output", self.without_output: "input"}.get(self.events)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was analysed; anything unknown is left out. `model_package_arn` is the version whose baseline was used."""

    monitor: str
    endpoint: str | None = None
    variant: str | None = None
    model_package_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Everything that one run found; a part that was not asked for is None or empty."""

    subject: Subject
    window: Window | None
    rows: int
    verdict: Verdict
    features: tuple[FeatureDrift, ...] = ()
    checks: tuple[DataCheck, ...] = ()
    quality: ModelQuality | None = None
    bias: tuple[BiasMetric, ...] = ()
    attribution: AttributionDrift | None = None
    health: CaptureHealth | None = None
