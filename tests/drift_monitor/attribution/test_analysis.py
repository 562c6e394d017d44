"""NDCG as Clarify has it, the noise guard, and contributions to additive models."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.attribution.additive import AdditiveExplainer, NotAdditiveError
from drift_monitor.attribution.analysis import AttributionPolicy, analyse, attribution_baseline, importance
from drift_monitor.attribution.background import read_background, write_background
from drift_monitor.attribution.contributions import global_attribution, sample_rows
from drift_monitor.attribution.encoding import encode_table
from drift_monitor.attribution.ndcg import ndcg
from drift_monitor.attribution.trees import Contributions, FloatMatrix
from drift_monitor.errors import BaselineError, ReaderError, SettingsError
from drift_monitor.quality.resampling import Vector
from drift_monitor.results import AttributionDrift, Verdict
from model_server.scoring import Encoder, Feature, FeatureSpec

FEATURES = ("sat", "gpa", "rank")
COLLEGE = {"sat": 0.70, "gpa": 0.50, "rank": 0.05}


def _contributions(means: dict[str, float], *, rows: int, seed: int = 1) -> Contributions:
    """Contributions of both signs with these mean sizes, up to chance."""
    return np.random.default_rng(seed).laplace(0, list(means.values()), (rows, len(means)))


def _analysed(current: Contributions, baseline: dict[str, float], **policy: float) -> AttributionDrift:
    settings = AttributionPolicy(minimum_rows=int(policy.get("minimum_rows", 100)))
    return analyse(current, features=tuple(baseline), baseline=baseline, method="test", policy=settings)


def test_ndcg_is_that_of_the_documentations_example() -> None:
    """College admission: 0.70, 0.50, 0.05 in training, 0.10, 0.20, 0.70 in production; the page rounds to 0.69."""
    value = ndcg(np.array(list(COLLEGE.values())), np.array([[0.10, 0.20, 0.70], [0.8, 0.5, 0.1]]))

    assert value == pytest.approx([0.688, 1.0], abs=5e-4)


def test_a_new_order_is_a_violation_and_the_old_one_is_not() -> None:
    """The example of the documentation with 500 rows of chance."""
    turned = _analysed(_contributions({"sat": 0.1, "gpa": 0.2, "rank": 0.7}, rows=500), COLLEGE)
    same = _analysed(_contributions(COLLEGE, rows=500), COLLEGE)

    assert turned.verdict is Verdict.VIOLATION
    assert turned.ndcg == pytest.approx(0.688, abs=5e-4)
    assert (same.verdict, same.ndcg) == (Verdict.OK, 1.0)


def test_features_that_swap_places_by_chance_raise_nothing() -> None:
    """A point value below the threshold whose interval reaches above it: Clarify would alarm, this does not."""
    baseline = {"a": 1.0, "b": 0.05, "c": 0.04}
    near_tie = {"a": 0.50, "b": 0.52, "c": 0.04}
    found = [_analysed(_contributions(near_tie, rows=150, seed=seed), baseline) for seed in range(20)]

    below = [result for result in found if result.ndcg is not None and result.ndcg < 0.90]
    assert below, "the example has to be one that the point value alone would report"
    assert {result.verdict for result in found} == {Verdict.OK}
    assert all(result.ndcg_high is not None and result.ndcg_high >= 0.90 for result in found)


def test_too_few_rows_and_a_model_without_order_say_nothing() -> None:
    """INSUFFICIENT_DATA with the reason, never a crash."""
    few = _analysed(_contributions(COLLEGE, rows=99), COLLEGE)
    none = _analysed(np.zeros((0, 3)), COLLEGE)
    constant = _analysed(np.zeros((200, 3)), dict.fromkeys(FEATURES, 0.0))

    assert {result.verdict for result in (few, none, constant)} == {Verdict.INSUFFICIENT_DATA}
    assert "99 rows" in str(few.reason)
    assert "same answer" in str(constant.reason)


def test_a_feature_that_only_one_side_has_counts_as_unused_on_the_other() -> None:
    """A model with other inputs is compared by name, not by position."""
    current = _contributions({"rank": 0.05, "sat": 0.7, "new": 0.9}, rows=300)

    found = analyse(current, features=("rank", "sat", "new"), baseline=COLLEGE, method="test")

    # Order now: new (worth nothing before), sat, rank, gpa.
    gains, discounts = np.array([0.0, 0.70, 0.05, 0.50]), 1 / np.log2([2, 3, 4, 5])
    assert found.ndcg == pytest.approx(gains @ discounts / (np.array([0.70, 0.50, 0.05, 0.0]) @ discounts))


def _linear(matrix: FloatMatrix) -> Vector:
    """A linear model of a number and of one effect per code, calculated in float32 as ONNX Runtime does."""
    codes = np.array([0.5, -1.0, 2.0], dtype=np.float32)[matrix[:, 1].astype(int)]
    prices: Vector = (np.float32(3) * matrix[:, 0] + codes + np.float32(10)).astype(np.float64)
    return prices


def test_a_linear_model_gets_coefficient_times_distance_from_the_mean() -> None:
    """The one-hot family of a category is one feature, and the sum is the prediction."""
    generator = np.random.default_rng(1)
    background, rows = (
        np.stack([generator.normal(5, 2, size), generator.integers(0, 3, size)], axis=1).astype(np.float32)
        for size in (300, 40)
    )

    explained = AdditiveExplainer(_linear, background=background)
    contributions = explained.contributions(rows)

    assert contributions[:, 0] == pytest.approx(3 * (rows[:, 0] - background[:, 0].mean()), abs=1e-4)
    assert contributions.sum(axis=1) + explained.expected_value == pytest.approx(_linear(rows), abs=1e-4)
    assert explained.expected_value == pytest.approx(_linear(background).mean(), abs=1e-4)


def test_a_model_whose_features_interact_is_refused() -> None:
    """An explanation that does not add up would be worse than none."""
    background = np.random.default_rng(1).normal(0, 1, (50, 2)).astype(np.float32)

    with pytest.raises(NotAdditiveError, match="the features interact"):
        AdditiveExplainer(lambda matrix: (matrix[:, 0] * matrix[:, 1]).astype(np.float64), background=background)


def test_sampled_rows_are_few_and_the_same_every_time() -> None:
    """The first and the last are among them."""
    matrix = np.arange(5000, dtype=np.float32)[:, None]
    sampled = sample_rows(matrix)

    assert (len(sampled), sampled[0, 0], sampled[-1, 0]) == (1000, 0, 4999)
    assert sample_rows(matrix[:10]) is not None
    assert global_attribution(np.zeros((0, 3)), FEATURES) == dict.fromkeys(FEATURES, 0.0)


def test_columns_are_encoded_as_the_model_server_encodes_records() -> None:
    """Numbers, codes, missing and unseen values; a row that the server refuses is left out."""
    spec = FeatureSpec(
        dataset="cars",
        label="price",
        features=(
            Feature("power", 150.0, ()),
            Feature("make", None, ("Audi", "BMW"), required=True),
            Feature("doors", None, ("2", "4")),
        ),
    )
    records = [["120.5", "BMW", "4"], ["", "Kia", ""], ["1e4", "Audi", "3"]]
    table = pa.table(
        {
            "doors": pa.array([4.0, None, 3.0, 4.0, 4.0]),
            "make": pa.array(["BMW", "Kia", "Audi", None, "BMW"]).dictionary_encode(),
            "power": pa.array([120.5, None, 1e4, 100.0, 1e300]),
        }
    )

    assert encode_table(table, spec).tolist() == Encoder(spec).encode(records).tolist()
    with pytest.raises(ReaderError, match="lacks doors"):
        encode_table(table.drop_columns("doors"), spec)


def test_a_threshold_outside_zero_and_one_is_refused() -> None:
    """NDCG cannot be there."""
    with pytest.raises(SettingsError, match="between 0 and 1"):
        AttributionPolicy(threshold=90)


def test_the_background_survives_its_file_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    """Explanations are only comparable over the same rows of the same model's features."""
    background = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    write_background(tmp_path, background)

    assert (read_background(tmp_path, features=3) == background).all()
    with pytest.raises(BaselineError, match="reads 4 features"):
        read_background(tmp_path, features=4)
    (tmp_path / "background.npy").write_bytes(b"torn")
    with pytest.raises(BaselineError, match="build the baseline again"):
        read_background(tmp_path, features=3)


def test_the_baseline_of_an_explained_model_is_its_mean_sizes_and_shares() -> None:
    """Coefficient 3 times the mean distance from the mean, and a share of all."""
    generator = np.random.default_rng(1)
    background = np.stack([generator.normal(5, 2, 300), np.zeros(300)], axis=1).astype(np.float32)
    explained = AdditiveExplainer(_linear, background=background)

    baseline = attribution_baseline(explained, background, features=("power", "make"))

    mean_distance = float(np.abs(background[:, 0] - background[:, 0].mean()).mean())
    assert baseline.values == pytest.approx({"power": 3 * mean_distance, "make": 0.0}, abs=1e-4)
    assert importance(baseline) == pytest.approx({"power": 1.0, "make": 0.0}, abs=1e-4)
