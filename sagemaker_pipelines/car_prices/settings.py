"""Names and facts of the car_prices project that several of its modules need. Light: steps import it at start."""

from functools import cache
from pathlib import Path

from data_contracts.contract import DataContract, load_contract
from sagemaker_pipelines.errors import StepError

PROJECT = "car_prices"
CONTRACT_FILE = Path(__file__).with_name("data_contract.toml")

# Upper ends of the price bands in USD in which errors are reported, with the band's name.
PRICE_BANDS = ((20_000, "0k to 20k"), (30_000, "20k to 30k"), (45_000, "30k to 45k"), (70_000, "45k to 70k"))
HIGHEST_BAND = "70k and over"


@cache
def contract() -> DataContract:
    """The data contract of the project."""
    return load_contract(CONTRACT_FILE)


def input_columns() -> tuple[str, ...]:
    """What a prediction needs, in the order of a headerless record: every column but the label."""
    return tuple(name for name in contract().column_names if name != label())


def label() -> str:
    """The column to predict."""
    return _named("label", contract().label)


def time_column() -> str:
    """The column with the model year."""
    return _named("time_column", contract().time_column)


def _named(setting: str, value: str | None) -> str:
    if value is None:
        raise StepError(f"{CONTRACT_FILE.name} of {PROJECT} should name its {setting}")
    return value
