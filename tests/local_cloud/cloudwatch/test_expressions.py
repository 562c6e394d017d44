"""Metric math."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.cloudwatch.expression_syntax import ExpressionError, parse
from local_cloud.cloudwatch.expressions import Environment, Value, check, evaluate

_VALUES: dict[str, Value] = {
    "m1": {60.0: 6.0, 120.0: 8.0, 180.0: 10.0},
    "m2": {60.0: 2.0, 180.0: 0.0},
    "empty": {},
}
_TIMELINE = (60.0, 120.0, 180.0, 240.0)


def _evaluated(text: str) -> Value:
    tree = parse(text)
    check(tree, known=frozenset(_VALUES))
    return evaluate(tree, Environment(_VALUES, _TIMELINE, ("m1", "m2")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("-2 ^ 2", -4.0),
        ("2 * -3", -6.0),
        ("1.5e1 / .5", 30.0),
        ("1 < 2 AND 2 >= 3", 0.0),
        ("1 < 2 || 2 >= 3", 1.0),
        ("m1 + 1", {60.0: 7.0, 120.0: 9.0, 180.0: 11.0}),
        ("m1 / m2", {60.0: 3.0}),
        ("m1 > 7", {60.0: 0.0, 120.0: 1.0, 180.0: 1.0}),
        ("FILL(m2, 0)", {60.0: 2.0, 120.0: 0.0, 180.0: 0.0, 240.0: 0.0}),
        ("FILL(m2, REPEAT)", {60.0: 2.0, 120.0: 2.0, 180.0: 0.0, 240.0: 0.0}),
        ("FILL(m2, LINEAR)", {60.0: 2.0, 120.0: 1.0, 180.0: 0.0}),
        ("m1 / FILL(m2, 1)", {60.0: 3.0, 120.0: 8.0}),
        ("FILL(empty, 3)", {60.0: 3.0, 120.0: 3.0, 180.0: 3.0, 240.0: 3.0}),
        ("IF(m1 > 7, m1, 0)", {60.0: 0.0, 120.0: 8.0, 180.0: 10.0}),
        ("IF(m1 > 7, m2)", {180.0: 0.0}),
        ("IF(1, m2, m1)", {60.0: 2.0, 180.0: 0.0}),
        ("ABS(0 - m2)", {60.0: 2.0, 180.0: 0.0}),
        ("CEIL(1.2) + FLOOR(1.8)", 3.0),
        ("AVG(m1)", 8.0),
        ("MAX(m1) - MIN(m1) + SUM(m2)", 6.0),
        ("SUM([m1, m2])", {60.0: 8.0, 120.0: 8.0, 180.0: 10.0}),
        ("MAX([m1, 7])", {60.0: 7.0, 120.0: 8.0, 180.0: 10.0}),
        ("SUM(METRICS())", {60.0: 8.0, 120.0: 8.0, 180.0: 10.0}),
        ("SUM(METRICS() * 2)", {60.0: 16.0, 120.0: 16.0, 180.0: 20.0}),
        ("AVG(empty)", {}),
        ("1 / 0", {}),
        ("CEIL(SUM([1e308, 1e308]))", {}),
        ("(0 - 8) ^ .5", {}),
        ("10.5 ^ 400", {}),
    ],
)
def test_expressions_compute(text: str, value: Value) -> None:
    """Series are joined by their timestamps, and what has no result is left out."""
    result = _evaluated(text)
    assert (dict(result) if not isinstance(result, float | int | tuple) else result) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ANOMALY_DETECTION_BAND(m1, 2)", "the function ANOMALY_DETECTION_BAND is not emulated"),
        ("SEARCH(m1)", "the function SEARCH is not emulated"),
        ("m1 + m9", "m9 is not the Id of another query"),
        ("REPEAT", "REPEAT is not the Id"),
        ("FILL(m1)", "FILL has a wrong number of arguments"),
        ("m1 +", "unexpected end"),
        ("m1 m2", "unexpected 'm2'"),
        ("(m1", "expected ')'"),
        ("m1 ? m2", "unexpected '? m2'"),
        ("[m1, m2] + [m1, m2]", "two arrays"),
        ("(" * 60 + "1" + ")" * 60, "nested more than 50 deep"),
        ("+".join(["1"] * 900), "more than 200 operators"),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(text: str, complaint: str) -> None:
    """A function that is not emulated, an unknown id and bad syntax raise ExpressionError that names them."""
    with pytest.raises(ExpressionError) as refused:
        _evaluated(text)

    assert complaint in str(refused.value)


_WORDS = ["m1", "m2", "empty", "1", "0", "1e308", "+", "-", "*", "/", "^", "<", "==", "AND", "(", ")", "[", "]", ","]
_WORDS += ["FILL", "IF", "AVG", "MAX", "METRICS", "REPEAT", "LINEAR", "ABS", "CEIL"]


@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=3), max_size=25).map(" ".join))
def test_no_text_crashes_metric_math(text: str) -> None:
    """Whatever the text, it has a value, or ExpressionError is raised."""
    try:
        _evaluated(text)
    except ExpressionError:
        return
