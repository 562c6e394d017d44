"""A small market of cars with a known price rule, in the lake's columns: enough to train on in a second."""

import math
import random

from sagemaker_pipelines.car_prices.settings import contract
from sagemaker_pipelines.tables import Table

MAKES = ("Audi", "Ford", "Kia", "Toyota")
ROWS_PER_YEAR = 60


def car_year(year: int, *, rows: int = ROWS_PER_YEAR) -> Table:
    """One model year; the same year is always the same table."""
    generator = random.Random(year)  # noqa: S311  made-up cars, no secrets
    return Table(contract().column_names, [_car(generator, year) for _ in range(rows)])


def _car(generator: random.Random, year: int) -> list[str]:
    make = generator.choice(MAKES)
    power = generator.randrange(80, 400)
    size = generator.choice(("Compact", "Large", "Midsize"))
    log_price = 9.2 + 0.003 * power + 0.15 * MAKES.index(make) + 0.02 * (year - 2001) + generator.gauss(0, 0.03)
    values = {
        "make": make,
        "model": f"{make} {generator.randrange(5)}",
        "year": str(year),
        "engine_fuel_type": generator.choice(("diesel", "regular unleaded")),
        "engine_hp": str(power) if generator.random() > 0.02 else "",
        "engine_cylinders": generator.choice(("4", "6", "8")),
        "transmission_type": generator.choice(("AUTOMATIC", "MANUAL")),
        "driven_wheels": generator.choice(("all wheel drive", "front wheel drive")),
        "number_of_doors": generator.choice(("2", "4")),
        "market_category": generator.choice(("", "Luxury", "Crossover,Luxury")),
        "vehicle_size": size,
        "vehicle_style": generator.choice(("Sedan", "4dr SUV")),
        "highway_mpg": str(generator.randrange(18, 45)),
        "city_mpg": str(generator.randrange(12, 35)),
        "msrp": str(round(math.exp(log_price))),
    }
    return [values[name] for name in contract().column_names]
