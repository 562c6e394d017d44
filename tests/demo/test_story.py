"""Which model years the demo's acts need."""

import pytest

from demo.errors import DemoError
from demo.story import ModelYears, Until


def test_the_acts_follow_the_first_delivery_year_by_year() -> None:
    """Callers ask for the three years after it; later ones stay unknown to every model."""
    years = ModelYears.parse("2001-2012", until=Until.END)

    assert list(years.newer) == [2013, 2014, 2015]
    assert {car.year for car in years.newer_cars()} == {2013, 2014, 2015}
    assert {car.year for car in years.traffic()} == {2015, 2016, 2017}


@pytest.mark.parametrize(("until", "latest"), [(Until.END, 2012), (Until.PRODUCTION, 2016), (Until.APPROVAL, 2017)])
def test_a_delivery_that_leaves_too_few_years_is_refused_with_the_latest_that_would_do(
    until: Until, latest: int
) -> None:
    """The catalogue ends, and every further act needs a year that no model has seen."""
    assert ModelYears.parse(f"2001-{latest}", until=until).newest == latest
    if latest == 2017:
        return
    with pytest.raises(DemoError, match=f"end with {latest} at the latest"):
        ModelYears.parse(f"2001-{latest + 1}", until=until)
