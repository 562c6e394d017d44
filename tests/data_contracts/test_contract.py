"""The reader of data contracts: what it accepts, and that it names every problem at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.catalog import glue_columns
from data_contracts.contract import ContractError, load_contract, parse_contract
from tests.data_contracts.examples import CARS_TOML, HEADER, cars


def test_a_contract_gives_its_columns_in_file_order() -> None:
    """The header that a file needs is the contract's column names in their order."""
    contract = cars()
    assert ",".join(contract.column_names) == HEADER
    assert contract.label == "price"
    assert contract.time_column == "year"
    assert contract.column("year").minimum == 1990
    assert [column.name for column in contract.features] == ["make", "model", "fuel", "power", "owner"]


def test_an_unknown_column_name_is_refused_with_the_known_ones() -> None:
    """Asking for a column that is not there names those that are."""
    with pytest.raises(KeyError, match=r"no column 'colour'.*make, model"):
        cars().column("colour")


def test_all_problems_of_a_contract_are_reported_at_once() -> None:
    """An author corrects a contract in one round, not one problem at a time."""
    text = """
    dataset = "Cars For Sale"
    format = "parquet"
    delimiter = ";;"
    key = ["nowhere"]
    label = "price"
    minimum_rows = -1
    colour = "red"
    [[columns]]
    name = "Make"
    type = "text"
    [[columns]]
    name = "year"
    type = "integer"
    minimum = 2030
    maximum = 1990
    required = "yes"
    allowed = ["old"]
    [[columns]]
    name = "year"
    type = "string"
    minimum = 1
    role = "owner"
    """
    with pytest.raises(ContractError) as caught:
        parse_contract(text, where="cars.toml")
    message = str(caught.value)
    for part in (
        "cars.toml",
        "dataset 'Cars For Sale' must be snake_case",
        'format must be "csv"',
        "delimiter must be one character",
        "key names 'nowhere'",
        "label is 'price'",
        "minimum_rows must be a whole number",
        "unknown setting 'colour'",
        "column 1 (Make): type must be one of string, integer, number, not 'text'",
        "column 1 (Make): name must be snake_case",
        "column 2 (year): minimum 2030 is above maximum 1990",
        "column 2 (year): required must be true or false",
        "column 2 (year): allowed must be a list of integer values",
        "column 3 (year): minimum and maximum are for integer and number columns only",
        "column 3 (year): role must be one of feature, label, time",
        "column 'year' is there 2 times",
    ):
        assert part in message
    assert len(caught.value.problems) == 15


@pytest.mark.parametrize("limit", ["nan", "inf", "1" + "0" * 400, "true"])
def test_a_limit_must_be_a_finite_number(limit: str) -> None:
    """A limit that no value can be compared with is a problem, not a crash."""
    with pytest.raises(ContractError, match="minimum must be a number"):
        parse_contract(CARS_TOML.replace("minimum = 1990", f"minimum = {limit}"))


def test_a_file_that_cannot_be_read_is_a_contract_error(tmp_path: Path) -> None:
    """A missing or damaged contract file is named, whatever is wrong with it."""
    damaged = tmp_path / "damaged.toml"
    damaged.write_text("dataset = ", encoding="utf-8")
    with pytest.raises(ContractError, match=r"damaged\.toml.*1 problem(?s:.*)not valid TOML"):
        load_contract(damaged)
    with pytest.raises(ContractError, match=r"missing\.toml(?s:.*)cannot be read"):
        load_contract(tmp_path / "missing.toml")
    with pytest.raises(ContractError, match=r"at least one \[\[columns\]\]"):
        parse_contract('dataset = "cars"')


@given(st.text())
def test_no_text_makes_the_reader_raise_anything_but_a_contract_error(text: str) -> None:
    """Whatever stands in the file, the author gets a list of problems."""
    with pytest.raises(ContractError):
        parse_contract(text)


def test_glue_columns_have_the_types_that_athena_reads() -> None:
    """Types are Athena's (optional columns are text), order is the file's, comments keep Glue's limit of 255."""
    contract = parse_contract(CARS_TOML.replace('"Brand."', f'"{"b" * 300}"'))
    columns = glue_columns(contract)
    assert [(name, type_) for name, type_, _ in columns] == [
        ("make", "string"),
        ("model", "string"),
        ("year", "bigint"),
        ("fuel", "string"),
        ("power", "string"),
        ("owner", "string"),
        ("price", "double"),
    ]
    assert columns[0][2] == "b" * 255
