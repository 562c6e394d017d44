"""The checks of headers and rows: each problem is found, named and placed; nothing else is."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.checks import Finding, FindingLog, RowChecker, check_header, shorten
from tests.data_contracts.examples import cars, row

GOOD = ["audi", "a4", "2015", "petrol", "150.5", "private", "30000"]
FIELDS = cars().column_names


def _with(**changes: str) -> list[str]:
    return [changes.get(name, value) for name, value in zip(FIELDS, GOOD, strict=True)]


def _findings(*rows: list[str]) -> list[tuple[int | None, str | None, str, str]]:
    checker = RowChecker(cars())
    checker.check(rows, range(1, len(rows) + 1))
    return [(found.row, found.column, found.problem, found.value) for found in checker.log.findings]


def test_a_header_names_missing_unexpected_and_repeated_columns() -> None:
    """Each wrong column of a header is named with what is wrong with it."""
    found = check_header(cars(), ["make", "Model", "year", "fuel", "power", "owner", "year"])
    assert [(finding.column, finding.problem) for finding in found] == [
        ("model", "column is missing"),
        ("price", "column is missing"),
        ("Model", "column is not in the contract"),
        ("year", "column is there more than once"),
    ]


def test_a_reordered_header_names_both_places() -> None:
    """Athena reads a CSV table by position, so the right columns in another order are wrong."""
    found = check_header(cars(), ["model", "make", *FIELDS[2:]])
    assert [(finding.column, finding.problem, finding.value) for finding in found] == [
        ("model", "column is in the wrong place", "place 1, expected 2"),
        ("make", "column is in the wrong place", "place 2, expected 1"),
    ]


def test_rows_that_fit_the_contract_give_no_finding() -> None:
    """Optional values may be empty, and limits are inclusive."""
    rows = [GOOD, _with(model="b", fuel="", power="", owner=""), _with(model="c", year="1990", price="2000000")]
    assert _findings(*rows) == []


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("year", "abc", "not an integer"),
        ("year", "2015.0", "not an integer"),
        ("year", "2_015", "not an integer"),
        ("year", " 2015", "not an integer"),
        ("year", "٢٠١٥", "not an integer"),
        ("year", "9" * 30, "not an integer"),
        ("year", "2015\n2016", "not an integer"),
        ("year", "", "required value is empty"),
        ("year", "1989", "below the minimum 1990"),
        ("year", "2031", "above the maximum 2030"),
        ("price", "12,5", "not a number"),
        ("price", "nan", "not a number"),
        ("price", "inf", "not a number"),
        ("price", "1e999", "not a number"),
        ("price", "1\n", "not a number"),
        ("power", "1e999", "not a number"),
        ("power", "-1", "below the minimum 0"),
        ("power", " ", "not a number"),
        ("make", "", "required value is empty"),
        ("make", "  ", "required value is empty"),
        ("fuel", "Petrol", "not one of the allowed values"),
    ],
)
def test_a_bad_value_is_named_with_its_row_and_column(column: str, value: str, problem: str) -> None:
    """A finding tells the row, the column, the problem and the value, among good rows."""
    assert _findings(GOOD, _with(model="b", **{column: value})) == [(2, column, problem, shorten(value))]


def test_the_value_of_a_sensitive_column_is_never_shown() -> None:
    """A report names the place of a bad sensitive value, not the value."""
    assert _findings(_with(owner="Jane Doe")) == [
        (1, "owner", "not one of the allowed values", "(hidden: sensitive column)")
    ]


def test_a_row_with_another_number_of_fields_is_named_and_the_others_are_still_checked() -> None:
    """Row numbers stay right after a row that cannot be checked column by column."""
    assert _findings(GOOD, GOOD[:-1], _with(model="b", year="x")) == [
        (2, None, "wrong number of fields, expected 7", "6 field(s)"),
        (3, "year", "not an integer", "x"),
    ]


def test_a_repeated_row_and_a_repeated_key_point_at_the_first_one() -> None:
    """A full repetition is one finding; the same key with other values is another kind."""
    assert _findings(GOOD, _with(model="b"), GOOD, _with(price="1")) == [
        (3, None, "the row repeats an earlier row", "row 1"),
        (4, None, "the key repeats that of an earlier row", "row 1"),
    ]


def test_repetitions_are_found_across_batches() -> None:
    """A row of a later batch is compared with the rows of all earlier ones."""
    checker = RowChecker(cars())
    checker.check([GOOD], [1])
    checker.check([_with(model="b"), GOOD], [2, 3])
    assert [(found.row, found.value) for found in checker.log.findings] == [(3, "row 1")]


def test_memory_for_repetitions_is_bounded() -> None:
    """Beyond the bound, rows are compared with the rows remembered, and no more are remembered."""
    checker = RowChecker(cars(), tracked_rows=1)
    checker.check([GOOD], [1])
    checker.check([_with(model="b")], [2])
    checker.check([_with(model="b"), GOOD], [3, 4])
    assert [(found.row, found.value) for found in checker.log.findings] == [(4, "row 1")]


def test_findings_are_capped_and_still_counted() -> None:
    """A file that is wrong in every row gives a short report with the true numbers."""
    log = FindingLog(per_problem=3, at_most=4)
    for number in range(1, 1001):
        log.add(Finding(number, "year", "not an integer", "x", line=number + 1))
        log.add(Finding(number, "price", "not a number", "x", line=number + 1))
    assert [(found.row, found.column) for found in log.findings] == [
        (1, "price"),
        (1, "year"),
        (2, "price"),
        (2, "year"),
    ]
    assert {(total.column, total.count) for total in log.totals} == {("year", 1000), ("price", 1000)}
    assert log.count("not an integer") == 1000


def test_a_shown_value_is_short_and_printable() -> None:
    """A value cannot break the layout of a report, or fill it."""
    assert shorten("a\x00b\nc\x1b[31m") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c" + (
        "\N{REPLACEMENT CHARACTER}[31m"
    )
    assert len(shorten("x" * 10**6)) == 60


@given(st.lists(st.lists(st.text(), max_size=9), max_size=20))
def test_no_rows_make_the_checker_raise(rows: list[list[str]]) -> None:
    """Whatever the cells hold, the result is a list of findings."""
    checker = RowChecker(cars())
    checker.check(rows, range(1, len(rows) + 1))
    assert checker.rows_checked == len(rows)


@given(st.integers(0, 300), st.sampled_from(["x", "1989", "", "2015.5", "1e3"]))
def test_the_fast_way_and_the_close_look_agree(place: int, value: str) -> None:
    """One bad value in any of many rows is found at its place, and only it."""
    rows = list(csv.reader(row(number) for number in range(301)))
    rows[place][2] = value
    assert [(found[0], found[1]) for found in _findings(*rows)] == [(place + 1, "year")]
