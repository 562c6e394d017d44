"""A small data set for tests: its contract, and files that fit it or do not."""

from data_contracts.contract import DataContract, parse_contract

CARS_TOML = """
dataset = "cars"
description = "Cars for tests."
format = "csv"
delimiter = ","
key = ["make", "model", "year"]
time_column = "year"
label = "price"
minimum_rows = 2

[[columns]]
name = "make"
type = "string"
role = "feature"
description = "Brand."

[[columns]]
name = "model"
type = "string"

[[columns]]
name = "year"
type = "integer"
minimum = 1990
maximum = 2030
role = "time"

[[columns]]
name = "fuel"
type = "string"
required = false
allowed = ["petrol", "diesel"]

[[columns]]
name = "power"
type = "number"
required = false
minimum = 0

[[columns]]
name = "owner"
type = "string"
required = false
allowed = ["private", "trade"]
sensitive = true

[[columns]]
name = "price"
type = "number"
minimum = 1
maximum = 2000000
role = "label"
"""

HEADER = "make,model,year,fuel,power,owner,price"


def cars() -> DataContract:
    """The contract of the data set."""
    return parse_contract(CARS_TOML)


def row(number: int) -> str:
    """A valid row, another one for each number."""
    return f"make{number % 7},model{number},{1990 + number % 40},petrol,{100 + number % 50}.5,trade,{10000 + number}"


def file_of(rows: list[str], header: str = HEADER) -> bytes:
    """The bytes of a file with these rows."""
    return ("\n".join([header, *rows]) + "\n").encode()


def good_file(rows: int = 5, start: int = 0) -> bytes:
    """A file that fits the contract; another content for each `start`."""
    return file_of([row(number) for number in range(start, start + rows)])
