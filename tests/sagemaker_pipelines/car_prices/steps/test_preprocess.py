"""The split goes forward in time, and nothing is fitted on what comes later."""

import pytest

from model_server.scoring import FeatureSpec
from sagemaker_pipelines.car_prices.settings import contract, input_columns
from sagemaker_pipelines.car_prices.steps.preprocess import (
    fit_feature_spec,
    fit_plain_baseline,
    split_by_year,
)
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.tables import Table
from tests.sagemaker_pipelines.cars import car_year

CARS = Table(contract().column_names, [row for year in range(2001, 2007) for row in car_year(year).rows])


def _fit(table: Table) -> FeatureSpec:
    return fit_feature_spec(table, contract(), inputs=input_columns(), label="msrp")


def _years(table: Table) -> set[str]:
    return set(table.values("year"))


def test_the_newest_year_is_held_out_and_the_one_before_validates() -> None:
    """No row of a later year is in an earlier part."""
    split = split_by_year(CARS, time="year", validation_years=1, holdout_years=1)

    assert _years(split.train) == {"2001", "2002", "2003", "2004"}
    assert _years(split.validation) == {"2005"}
    assert _years(split.holdout) == {"2006"}
    assert len(split.train.rows + split.validation.rows + split.holdout.rows) == len(CARS.rows)


def test_the_sizes_of_the_parts_are_parameters() -> None:
    """Two years may be held out, for a steadier estimate."""
    split = split_by_year(CARS, time="year", validation_years=2, holdout_years=2)

    assert (_years(split.validation), _years(split.holdout)) == ({"2003", "2004"}, {"2005", "2006"})


def test_a_split_without_training_years_is_refused() -> None:
    """The message has what there is and what is asked for."""
    with pytest.raises(StepError, match=r"6 model years cannot be split .* 3 for validation and 3 for the holdout"):
        split_by_year(CARS, time="year", validation_years=3, holdout_years=3)


def test_a_category_of_a_later_year_does_not_leak_into_the_specification() -> None:
    """The specification knows what training could know."""
    split = split_by_year(CARS, time="year", validation_years=1, holdout_years=1)
    future = Table(CARS.columns, [["Tesla", *row[1:]] for row in split.holdout.rows])

    fitted = _fit(split.train)
    leaked = _fit(Table(CARS.columns, split.train.rows + future.rows))

    assert "Tesla" not in fitted.features[0].categories
    assert "Tesla" in leaked.features[0].categories


def test_the_median_skips_missing_values() -> None:
    """A missing power is no power of 0."""
    table = Table(CARS.columns, [list(row) for row in CARS.rows[:3]])
    column = CARS.columns.index("engine_hp")
    for row, value in zip(table.rows, ("100", "", "300"), strict=True):
        row[column] = value

    feature = next(feature for feature in _fit(table).features if feature.name == "engine_hp")

    assert feature.median == 200


def test_a_column_without_any_value_is_refused() -> None:
    """There is no median to put in its place."""
    table = CARS.select(CARS.columns)
    for row in table.rows:
        row[table.columns.index("engine_hp")] = ""
    with pytest.raises(StepError, match="the column 'engine_hp' is empty in every training row"):
        _fit(table)


def test_the_label_is_no_input() -> None:
    """A model that sees the price predicts it well and is worth nothing."""
    assert "msrp" not in _fit(CARS).names


def test_the_plain_baseline_is_the_median_per_make() -> None:
    """The estimate that every model has to beat."""
    table = Table(("make", "msrp"), [["Audi", "10"], ["Audi", "30"], ["Kia", "5"]])

    baseline = fit_plain_baseline(table, by="make", label="msrp")

    assert baseline == {"by": "make", "overall": 10.0, "medians": {"Audi": 20.0, "Kia": 5.0}}
