"""The rules of composite alarms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.cloudwatch.alarm_rules import RuleError, alarms, holds, parse
from local_cloud.cloudwatch.evaluation import State

_STATES = {"a": State.ALARM, "o": State.OK, "i": State.INSUFFICIENT_DATA}


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("ALARM(a)", True),
        ('ALARM("o")', False),
        ("OK( o )", True),
        ("INSUFFICIENT_DATA(i)", True),
        ("NOT ALARM(a)", False),
        ("NOT NOT ALARM(a)", True),
        ("ALARM(a) AND ALARM(o)", False),
        ("ALARM(a) OR ALARM(o)", True),
        ("ALARM(a) OR ALARM(o) AND ALARM(i)", True),
        ("(ALARM(a) OR ALARM(o)) AND ALARM(i)", False),
        ("NOT ALARM(o) AND OK(a)", False),
        ("NOT (ALARM(o) OR ALARM(a))", False),
        ("  ALARM(a)AND OK(o)\n", True),
    ],
)
def test_rules_mean_what_they_say(text: str, truth: bool) -> None:
    """NOT binds closer than AND, AND closer than OR, and brackets closest."""
    assert holds(parse(text), _STATES.__getitem__) is truth


def test_names_and_arns_are_found_once_each() -> None:
    """A rule tells the alarms it depends on, by the name or ARN that it gives, quoted or not."""
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x y (z)"

    assert alarms(parse(f'ALARM("{arn}") OR (OK(b) AND NOT OK("b"))')) == (arn, "b")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "unexpected end"),
        ("ALARM(a) AND", "unexpected end"),
        ("ALARM(a) OK(o)", "unexpected"),
        ("(ALARM(a)", "not closed"),
        ("ALARM()", "unexpected 'ALARM()'"),
        ("alarm(a)", "unexpected 'alarm(a)'"),
        ("ALARM(a) XOR OK(o)", "unexpected 'XOR OK(o)'"),
        ("AT_LEAST(2, ALARM, (a, b))", "AT_LEAST is not emulated"),
        ("(" * 60 + "TRUE" + ")" * 60, "nested more than 50 deep"),
        ("NOT " * 60 + "TRUE", "nested more than 50 deep"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_place(text: str, complaint: str) -> None:
    """A text that is no rule raises RuleError that names what is wrong."""
    with pytest.raises(RuleError) as refused:
        parse(text)

    assert complaint in str(refused.value)


def test_a_rule_of_the_greatest_length_is_no_problem() -> None:
    """A chain of a thousand alarms is parsed and decided without running into Python's limits."""
    rule = parse(" OR ".join(["ALARM(o)"] * 1000 + ["ALARM(a)"]))

    assert holds(rule, _STATES.__getitem__)


@given(
    st.lists(
        st.sampled_from(["ALARM(a)", 'OK("o")', "INSUFFICIENT_DATA(i)", "AND", "OR", "NOT", "(", ")", "TRUE", "FALSE"])
        | st.text(max_size=5),
        max_size=40,
    ).map(" ".join)
)
def test_no_text_crashes_the_parser(text: str) -> None:
    """Whatever the text, it is a rule that can be decided, or RuleError."""
    try:
        rule = parse(text)
    except RuleError:
        return
    assert holds(rule, lambda name: _STATES.get(name, State.OK)) in (True, False)
