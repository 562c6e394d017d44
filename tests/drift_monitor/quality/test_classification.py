"""Classifier quality against scikit-learn and the figures that AWS publishes, and its degenerate windows."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as oracle

from drift_monitor.baseline import MetricLimit
from drift_monitor.errors import SettingsError
from drift_monitor.quality.binary import evaluate_binary
from drift_monitor.quality.constraints import Expectation, suggest_constraints
from drift_monitor.quality.multiclass import evaluate_multiclass, multiclass_metrics
from drift_monitor.quality.ranking import auc_interval
from drift_monitor.quality.resampling import Vector
from drift_monitor.results import ModelQuality, Verdict
from tests.drift_monitor.quality.windows import coverage, holds, metric, value

ROWS = 600


def _scores(seed: int = 1) -> tuple[Vector, Vector]:
    """Labels of 0 and 1, and probabilities with ties that tell them apart to some degree."""
    generator = np.random.default_rng(seed)
    actual = (generator.random(ROWS) < 0.3).astype(np.float64)
    probability = np.clip(generator.normal(0.35 + 0.25 * actual, 0.2), 0, 1).round(2)
    return actual, probability


def _evaluated(seed: int = 1, *, expectation: Expectation | None = None) -> ModelQuality:
    actual, probability = _scores(seed)
    return evaluate_binary(
        pa.array(actual.astype(int).astype(str)),
        pa.array((probability > 0.5).astype(np.float64)),
        probability=probability,
        coverage=coverage(ROWS),
        expectation=expectation,
    )


def test_binary_metrics_are_those_of_scikit_learn() -> None:
    """Labels as text and predictions as floats meet; every metric has its oracle's value inside its interval."""
    actual, probability = _scores()
    predicted = probability > 0.5
    quality = _evaluated()
    recall = oracle.recall_score(actual, predicted)
    specificity = oracle.recall_score(actual, predicted, pos_label=0)
    expected = {
        "recall": recall,
        "true_positive_rate": recall,
        "false_negative_rate": 1 - recall,
        "true_negative_rate": specificity,
        "false_positive_rate": 1 - specificity,
        "precision": oracle.precision_score(actual, predicted),
        "accuracy": oracle.accuracy_score(actual, predicted),
        "auc": oracle.roc_auc_score(actual, probability),
        **{
            name: oracle.fbeta_score(actual, predicted, beta=beta)
            for name, beta in (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
        },
        **{
            f"{name}_best_constant_classifier": oracle.fbeta_score(actual, np.ones(ROWS), beta=beta)
            for name, beta in (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
        },
        "recall_best_constant_classifier": 1.0,
        "precision_best_constant_classifier": actual.mean(),
        "accuracy_best_constant_classifier": 1 - actual.mean(),
    }

    assert {item.name: item.observed.value for item in quality.metrics} == pytest.approx(expected)
    assert all(holds(item.observed, item.observed.value or 0.0) for item in quality.metrics)
    assert all(item.standard_deviation is not None for item in quality.metrics)
    counts = oracle.confusion_matrix(actual, predicted).tolist()
    assert quality.confusion == {
        "0": dict(zip("01", counts[0], strict=True)),
        "1": dict(zip("01", counts[1], strict=True)),
    }


def test_curves_are_those_of_scikit_learn() -> None:
    """One point per distinct probability, from (0, 0) to (1, 1)."""
    actual, probability = _scores()
    false_positives, true_positives, _ = oracle.roc_curve(actual, probability, drop_intermediate=False)
    precisions, recalls, _ = oracle.precision_recall_curve(actual, probability)

    curves = _evaluated().curves

    roc, precision_recall = curves["receiver_operating_characteristic_curve"], curves["precision_recall_curve"]
    assert roc["false_positive_rates"] == pytest.approx(false_positives)
    assert roc["true_positive_rates"] == pytest.approx(true_positives)
    assert precision_recall["precisions"][1:] == pytest.approx(precisions[-2::-1])
    assert precision_recall["recalls"] == pytest.approx(recalls[::-1])


def test_the_interval_of_auc_is_as_wide_as_that_of_resampled_rows() -> None:
    """DeLong's formula against 150 resamples of the rows."""
    actual, probability = _scores()
    generator = np.random.default_rng(5)
    chosen = [generator.integers(0, ROWS, ROWS) for _ in range(150)]
    resampled = np.quantile([oracle.roc_auc_score(actual[rows], probability[rows]) for rows in chosen], (0.025, 0.975))

    interval = auc_interval(actual == 1, probability)

    assert (interval.low, interval.high) == pytest.approx(tuple(resampled), abs=0.01)


def test_weighted_metrics_are_those_that_aws_publishes() -> None:
    """The documentation's example has a confusion matrix and the metrics that Model Monitor made of it."""
    metrics = multiclass_metrics(np.array([[[1180.0, 510.0], [268.0, 138.0]]]))

    published = {
        "accuracy": 0.6288167938931297,
        "weighted_recall": 0.6288167938931297,
        "weighted_precision": 0.6983172269629505,
        "weighted_f0_5": 0.6803947318178771,
        "weighted_f1": 0.6571162346664904,
        "weighted_f2": 0.6384024354394601,
    }
    assert {name: metrics[name][0] for name in published} == pytest.approx(published, abs=1e-7)


def test_multiclass_metrics_are_those_of_scikit_learn() -> None:
    """Three classes, one of which is never predicted."""
    generator = np.random.default_rng(2)
    actual = generator.choice(["audi", "bmw", "kia"], ROWS, p=[0.5, 0.4, 0.1])
    predicted = np.where(generator.random(ROWS) < 0.7, actual, "bmw")
    predicted[predicted == "kia"] = "audi"

    quality = evaluate_multiclass(pa.array(actual), pa.array(predicted).dictionary_encode(), coverage=coverage(ROWS))

    assert value(quality, "accuracy") == pytest.approx(oracle.accuracy_score(actual, predicted))
    for name, beta in (("weighted_f0_5", 0.5), ("weighted_f1", 1.0), ("weighted_f2", 2.0)):
        expected = oracle.fbeta_score(actual, predicted, beta=beta, average="weighted", zero_division=0)
        assert value(quality, name) == pytest.approx(expected)
        constant = oracle.fbeta_score(actual, ["audi"] * ROWS, beta=beta, average="weighted", zero_division=0)
        assert value(quality, f"{name}_best_constant_classifier") == pytest.approx(constant)
    precision = oracle.precision_score(actual, predicted, average="weighted", zero_division=0)
    assert value(quality, "weighted_precision") == pytest.approx(precision)
    assert quality.confusion["kia"]["kia"] == 0
    assert all(holds(item.observed, item.observed.value or 0.0) for item in quality.metrics)


def test_limits_of_a_baseline_stay_silent_on_its_like_and_see_a_model_that_guesses() -> None:
    """Every metric with a direction gets a limit; guessing violates them."""
    expectation = Expectation(limits=suggest_constraints(_evaluated()))
    actual, probability = _scores(8)
    guesses = np.random.default_rng(1).permutation(probability)

    guessing = evaluate_binary(
        pa.array(actual), pa.array(guesses > 0.5), probability=guesses, coverage=coverage(ROWS), expectation=expectation
    )

    assert {_evaluated(seed, expectation=expectation).verdict for seed in range(2, 7)} == {Verdict.OK}
    violated = {item.name for item in guessing.metrics if item.verdict is Verdict.VIOLATION}
    assert violated >= {"auc", "f1", "recall", "precision", "false_negative_rate"}
    assert "recall_best_constant_classifier" not in expectation.limits


def test_zero_hits_of_three_are_not_certain() -> None:
    """A recall of 0 from three positive rows has an interval up to more than a half: no violation of a limit of .5."""
    actual = np.array([1, 1, 1] + [0] * 200)
    expectation = Expectation(limits={"recall": MetricLimit(threshold=0.5, operator="LessThanThreshold")})

    quality = evaluate_binary(
        pa.array(actual), pa.array(np.zeros(203)), coverage=coverage(203), expectation=expectation
    )

    assert metric(quality, "recall").observed.value == 0
    assert metric(quality, "recall").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("actual", "predicted", "undefined"),
    [
        ([], [], {"recall", "precision", "accuracy", "auc", "f1"}),
        ([None, 1.0], [1.0, float("nan")], {"recall", "precision", "accuracy", "auc", "f1"}),
        ([0.0] * 300, [0.0] * 300, {"recall", "precision", "false_negative_rate", "auc", "f1"}),
        ([1.0] * 300, [1.0] * 300, {"true_negative_rate", "false_positive_rate", "auc"}),
    ],
    ids=["no rows", "no pair", "only negative", "only positive"],
)
def test_a_class_without_rows_gives_none(actual: list[float], predicted: list[float], undefined: set[str]) -> None:
    """What has no rows to count is None, and the rest is there."""
    quality = evaluate_binary(
        pa.array(actual, pa.float64()),
        pa.array(predicted, pa.float64()),
        probability=np.full(len(actual), 0.5),
        coverage=coverage(len(actual)),
    )

    found = {item.name for item in quality.metrics if item.observed.value is None}
    assert {name for name in found if not name.endswith("classifier")} >= undefined
    assert ("accuracy" in found) == ("accuracy" in undefined)
    assert quality.curves == {}


def test_multiclass_takes_no_rows_and_refuses_a_label_that_is_no_class() -> None:
    """No rows are insufficient data; a thousand different values are a question to the user."""
    nothing = evaluate_multiclass(pa.array([], pa.string()), pa.array([], pa.string()), coverage=coverage(0))
    many = pa.array(np.arange(1000))

    assert nothing.verdict is Verdict.INSUFFICIENT_DATA
    assert {item.observed.value for item in nothing.metrics} == {None}
    with pytest.raises(SettingsError, match="1000 different values"):
        evaluate_multiclass(many, many, coverage=coverage(1000))
