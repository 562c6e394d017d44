"""A model version as the monitor knows it: its baseline, and how its answers and labels are to be read.

What a baseline folder holds (files/baseline_folder.py reads and writes it). Must not read files or compute anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drift_monitor.attribution.trees import FloatMatrix
from drift_monitor.baseline import Baseline
from drift_monitor.bias.measure import BiasSettings
from drift_monitor.metric_names import ANSWER
from drift_monitor.quality.calibration import Calibration


class ProblemType(StrEnum):
    """Model Monitor's `problem_type`."""

    REGRESSION = "Regression"
    BINARY = "BinaryClassification"
    MULTICLASS = "MulticlassClassification"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Which columns the answers and labels are.

    `prediction` and `probability` are outputs of the schema; `probability` is that of the class `positive`, or with
    more than two classes that of the predicted one. `label`: the name of the label's column in labelled data; None
    where nobody said what it is.
    """

    problem_type: ProblemType = ProblemType.REGRESSION
    prediction: str = ANSWER
    probability: str | None = None
    positive: str = "1"
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class MonitoredModel:
    """All that an analysis needs to know of the version whose requests it looks at.

    `calibration`: how often the model is right at which probability. `background`: encoded training rows, shape
    (rows, features), which contributions of the model's features are relative to. None: that analysis cannot be made.
    `quality_deviations`: Model Monitor's standard deviations of the baseline's figures, by metric.
    """

    baseline: Baseline
    answers: Answers = Answers()
    calibration: Calibration | None = None
    bias_settings: BiasSettings | None = None
    background: FloatMatrix | None = None
    quality_deviations: Mapping[str, float] = field(default_factory=dict)
