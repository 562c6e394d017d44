"""What a snapshot must have before anything is trained on it."""

import json
from pathlib import Path

import pytest

from sagemaker_pipelines.car_prices.settings import contract
from sagemaker_pipelines.car_prices.steps.validate_data import Requirements, validate_snapshot
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.tables import Table, read_table, write_table
from tests.sagemaker_pipelines.cars import ROWS_PER_YEAR, car_year

REQUIREMENTS = Requirements(minimum_rows=100, minimum_years=3)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Three model years, a file each."""
    folder = tmp_path / "snapshot"
    for year in (2001, 2002, 2003):
        write_table(folder / f"{year}.csv", car_year(year))
    return folder


def _validate(snapshot: Path, requirements: Requirements = REQUIREMENTS) -> Path:
    output = snapshot.parent / "validated"
    validate_snapshot(snapshot, output, contract=contract(), requirements=requirements)
    return output


def _spoil(snapshot: Path, row: int, column: str, value: str) -> None:
    table = read_table(snapshot / "2002.csv")
    table.rows[row - 1][table.columns.index(column)] = value
    write_table(snapshot / "2002.csv", table)


def test_good_files_become_one_table_and_a_report(snapshot: Path) -> None:
    """Every file is listed with its digest and rows, every model year with its count."""
    output = _validate(snapshot)
    report = json.loads((output / "data_report.json").read_text())

    assert len(read_table(output / "data.csv").rows) == 3 * ROWS_PER_YEAR
    assert [file["name"] for file in report["files"]] == ["2001.csv", "2002.csv", "2003.csv"]
    assert report["rows_by_year"] == {"2001": ROWS_PER_YEAR, "2002": ROWS_PER_YEAR, "2003": ROWS_PER_YEAR}


def test_the_table_does_not_depend_on_how_rows_were_spread_over_files(snapshot: Path, tmp_path: Path) -> None:
    """The same cars in one file, in another order, make the same data and so the same model."""
    rows = [row for year in (2003, 2001, 2002) for row in reversed(car_year(year).rows)]
    other = tmp_path / "other" / "snapshot"
    write_table(other / "all.csv", Table(contract().column_names, rows))

    assert (_validate(other) / "data.csv").read_bytes() == (_validate(snapshot) / "data.csv").read_bytes()


def test_rows_repeated_across_files_count_once(snapshot: Path) -> None:
    """An upload that overlaps another one does not weigh its cars twice; the report says how many there were."""
    write_table(snapshot / "again.csv", car_year(2002))

    output = _validate(snapshot)

    assert len(read_table(output / "data.csv").rows) == 3 * ROWS_PER_YEAR
    assert json.loads((output / "data_report.json").read_text())["rows_repeated_across_files"] == ROWS_PER_YEAR


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("msrp", "cheap", "not an integer"),
        ("msrp", "900000", "above the maximum 150000"),
        ("year", "1995", "below the minimum 2001"),
        ("transmission_type", "CVT", "not one of the allowed values"),
        ("make", "", "required value is empty"),
    ],
)
def test_a_row_against_the_contract_names_file_row_and_column(
    snapshot: Path, column: str, value: str, problem: str
) -> None:
    """Whoever uploaded the file knows which cell to correct."""
    _spoil(snapshot, row=7, column=column, value=value)
    with pytest.raises(
        StepError, match=rf"2002\.csv breaks the data contract 1 times; first: row 7, column {column}: .*{problem}"
    ):
        _validate(snapshot)


def test_a_file_with_another_header_is_refused(snapshot: Path) -> None:
    """Columns are matched by name, never by luck."""
    write_table(snapshot / "2002.csv", car_year(2002).select(contract().column_names[:-1]))
    with pytest.raises(StepError, match=r"2002\.csv breaks .*msrp"):
        _validate(snapshot)


def test_too_few_rows_are_refused(snapshot: Path) -> None:
    """The message has both numbers."""
    with pytest.raises(StepError, match="has 180 rows, training needs 1000"):
        _validate(snapshot, Requirements(minimum_rows=1000, minimum_years=3))


def test_too_few_model_years_are_refused(snapshot: Path) -> None:
    """Training, validation and holdout need a year each."""
    with pytest.raises(StepError, match=r"has 3 model years \(2001, 2002, 2003\), training needs 4"):
        _validate(snapshot, Requirements(minimum_rows=100, minimum_years=4))


def test_an_empty_snapshot_says_where_to_upload(tmp_path: Path) -> None:
    """The first run without data ends with advice."""
    with pytest.raises(StepError, match="upload data to raw/car_prices/ first"):
        _validate(tmp_path / "snapshot")
