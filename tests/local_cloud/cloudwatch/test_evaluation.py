"""The tables that AWS publishes on missing data, and the comparisons.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.cloudwatch.evaluation import COMPARISONS, Missing, State, Threshold, evaluate

OK, ALARM, UNKNOWN, KEPT = State.OK, State.ALARM, State.INSUFFICIENT_DATA, None
_VALUES = {"0": 0.0, "X": 9.0, "-": None}

# datapoints (oldest first), how many are filled in, then the state for: missing, ignore, breaching, notBreaching
THREE_OF_THREE = [
    ("0 - X - X", 0, (OK, OK, OK, OK)),
    ("0 - - - -", 2, (OK, OK, OK, OK)),
    ("- - - - -", 3, (UNKNOWN, KEPT, ALARM, OK)),
    ("0 X X - X", 0, (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", 2, (ALARM, KEPT, ALARM, OK)),
    ("- - - - X", 2, (KEPT, KEPT, ALARM, OK)),
    ("- - - X -", 2, (KEPT, KEPT, ALARM, OK)),
    ("- - - X 0", 1, (OK, OK, OK, OK)),
]
TWO_OF_THREE = [
    ("0 - X - X", 0, (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", 0, (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", 1, (OK, OK, ALARM, OK)),
    ("- - - - 0", 2, (OK, OK, ALARM, OK)),
    ("- - - X -", 2, (ALARM, KEPT, ALARM, OK)),
]
ONE_OF_ONE = [
    ("- - X", 0, (ALARM, ALARM, ALARM, ALARM)),
    ("X X 0", 0, (OK, OK, OK, OK)),
    ("X - -", 0, (ALARM, ALARM, ALARM, ALARM)),
    ("- - -", 1, (UNKNOWN, KEPT, ALARM, OK)),
]
_TABLES = [(3, 3, THREE_OF_THREE), (2, 3, TWO_OF_THREE), (1, 1, ONE_OF_ONE)]
_CASES = [
    (needed, periods, points, filled, missing, state)
    for needed, periods, table in _TABLES
    for points, filled, states in table
    for missing, state in zip(Missing, states, strict=True)
]


@pytest.mark.parametrize(("needed", "periods", "points", "filled", "missing", "state"), _CASES)
def test_the_tables_of_aws(
    needed: int, periods: int, points: str, filled: int, missing: Missing, state: State | None
) -> None:
    """Every row of AWS's tables, in all four ways to treat missing data, gives the state that AWS prints."""
    threshold = Threshold("GreaterThanThreshold", 1.0, periods, needed, missing)

    verdict = evaluate([_VALUES[point] for point in points.split()], threshold)

    assert (verdict.state, verdict.filled) == (state, filled)


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", (5.0, 6.0)),
        ("GreaterThanThreshold", (6.0,)),
        ("LessThanThreshold", (4.0,)),
        ("LessThanOrEqualToThreshold", (4.0, 5.0)),
    ],
)
def test_the_comparisons(comparison: str, breaching: tuple[float, ...]) -> None:
    """Each operator breaches on its side of the threshold, and at the threshold only if it says so."""
    threshold = Threshold(comparison, 5.0, 1, 1)

    states = {value: evaluate([value], threshold).state for value in (4.0, 5.0, 6.0)}

    assert states == {value: ALARM if value in breaching else OK for value in states}


@given(
    points=st.lists(st.one_of(st.none(), st.floats(-10, 10)), min_size=1, max_size=12),
    periods=st.integers(1, 8),
    share=st.integers(1, 8),
    comparison=st.sampled_from(sorted(COMPARISONS)),
)
def test_missing_data_as_good_never_alarms_more_than_as_bad(
    points: list[float | None], periods: int, share: int, comparison: str
) -> None:
    """What is an alarm with missing data taken as good is one in every other way, too."""
    states = {
        missing: evaluate(points, Threshold(comparison, 0.0, periods, min(share, periods), missing)).state
        for missing in Missing
    }

    if states[Missing.NOT_BREACHING] is ALARM:
        assert set(states.values()) == {ALARM}
    if states[Missing.BREACHING] is OK:
        assert ALARM not in states.values()
