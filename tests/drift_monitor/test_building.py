"""Building what the monitor has to know of a version, as the training pipeline does."""

from dataclasses import replace

import pyarrow as pa
import pytest

from drift_monitor.building import QualityMargins, build
from drift_monitor.errors import BaselineError, SettingsError
from drift_monitor.monitored_model import Answers
from drift_monitor.readers.ground_truth import LABEL
from tests.drift_monitor.sold_cars import ANSWERS, BIAS, SCHEMA, cars, monitored_model


def test_all_parts_that_the_data_allows() -> None:
    """Answers are watched if the training data has them; quality, limits and bias come from the holdout."""
    model = monitored_model()
    assert list(model.baseline.profile.columns) == ["prediction", "year", "power", "make"]
    quality = model.baseline.model_quality
    assert quality is not None
    assert quality.rows == 1500
    assert quality.metrics["mape"].value == pytest.approx(6.4, abs=0.5)
    assert quality.limits["mape"].threshold > (quality.metrics["mape"].high or 0)
    assert model.quality_deviations.keys() == quality.metrics.keys()
    assert model.baseline.bias is not None
    assert {figure.facet for figure in model.baseline.bias} == {"make"}
    assert model.baseline.attribution is None


def test_inputs_alone_are_enough() -> None:
    """Without answers and labels there is a baseline of the data."""
    batch = cars(200, seed=1).select(["year", "power", "make"])
    model = build([batch], schema=SCHEMA, answers=Answers())
    assert list(model.baseline.profile.columns) == ["year", "power", "make"]
    assert (model.baseline.model_quality, model.baseline.bias) == (None, None)


def test_margins_widen_the_limits() -> None:
    """A share of the figure, and percentage points for the signed bias."""
    holdout = pa.Table.from_batches([cars(500, seed=2)])
    strict, lenient = (
        build(
            [cars(100, seed=1)], schema=SCHEMA, answers=ANSWERS, holdout=holdout, margins=margins
        ).baseline.model_quality
        for margins in (QualityMargins(share=0.0, bias=0.0), QualityMargins(share=1.0, bias=10.0))
    )
    assert strict is not None
    assert lenient is not None
    assert lenient.limits["mae"].threshold == pytest.approx(2 * strict.limits["mae"].threshold)
    assert lenient.limits["bias"].threshold == pytest.approx(strict.limits["bias"].threshold + 10)


def test_a_holdout_without_labels_or_answers_is_refused() -> None:
    """With the name of the column that lacks."""
    training, holdout = [cars(100, seed=1)], pa.Table.from_batches([cars(100, seed=2)])
    with pytest.raises(BaselineError, match="the label has no name"):
        build(training, schema=SCHEMA, answers=Answers(), holdout=holdout)
    with pytest.raises(BaselineError, match="lacks the column price"):
        build(training, schema=SCHEMA, answers=ANSWERS, holdout=holdout.drop_columns(["price"]))
    strange = replace(BIAS, facets=(replace(BIAS.facets[0], column="colour"),))
    with pytest.raises(SettingsError, match="colour"):
        build(training, schema=SCHEMA, answers=ANSWERS, holdout=holdout, bias=strange)


def test_the_label_may_have_the_name_that_the_monitor_uses() -> None:
    """A label column called `_label` is taken as it is."""
    holdout = pa.Table.from_batches([cars(300, seed=2)]).rename_columns(
        [LABEL if name == "price" else name for name in cars(1, seed=1).schema.names]
    )
    model = build([cars(100, seed=1)], schema=SCHEMA, answers=Answers(label=LABEL), holdout=holdout)
    assert model.baseline.model_quality is not None
