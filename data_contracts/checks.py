"""Checks of a header and of rows against a data contract; every finding names its row, column and value.

Works on parsed rows (lists of texts, as `csv.reader` gives them) and column by column, so that no object is
made per cell: 100,000 rows of 16 columns take about a second of CPU. Must not read files (see
`file_check`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import itemgetter

from data_contracts.contract import Column, DataContract

DUPLICATE_ROW = "the row repeats an earlier row"
DUPLICATE_KEY = "the key repeats that of an earlier row"
MISSING_COLUMN = "column is missing"
UNEXPECTED_COLUMN = "column is not in the contract"
REPEATED_COLUMN = "column is there more than once"
MISPLACED_COLUMN = "column is in the wrong place"
REQUIRED_EMPTY = "required value is empty"
NOT_AN_INTEGER = "not an integer"
NOT_A_NUMBER = "not a number"
NOT_ALLOWED = "not one of the allowed values"

HIDDEN = "(hidden: sensitive column)"

# A finding shows at most this many characters of the value: a report must stay readable.
SHOWN_CHARACTERS = 60
# ASCII only, and no `1_000`, ` 7 ` or `inf`, all of which int() and float() would take but Athena would not.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# A whole column at once, a line for each value. Possessive: what matched is never tried again another way.
_COLUMN_OF = {
    "integer": re.compile(rf"(?:(?:{_INTEGER.pattern})?+\n)*+"),
    "number": re.compile(rf"(?:(?:{_NUMBER.pattern})?+\n)*+"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `row` 1 is the first data row, `line` 1 the file's first line (the header)."""

    row: int | None
    column: str | None
    problem: str
    value: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """How often one problem occurred in one column, whether or not kept as a finding."""

    column: str | None
    problem: str
    count: int


class FindingLog:
    """Keeps the first findings of each kind and counts the rest. Mutable: it grows while a file is read."""

    def __init__(self, *, per_problem: int = 20, at_most: int = 500) -> None:
        self._per_problem = per_problem
        self._at_most = at_most
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str | None, str]] = Counter()
        self.total = 0

    def add(self, finding: Finding) -> None:
        kind = (finding.column, finding.problem)
        self.total += 1
        self._counts[kind] += 1
        if self._counts[kind] <= self._per_problem and len(self._kept) < self._at_most:
            self._kept.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings kept, in file order."""
        return tuple(sorted(self._kept, key=lambda finding: (finding.line or 0, finding.column or "")))

    @property
    def totals(self) -> tuple[Total, ...]:
        """Every kind of problem with its full count, in the order of first occurrence."""
        return tuple(Total(column, problem, count) for (column, problem), count in self._counts.items())

    def count(self, problem: str) -> int:
        """How often `problem` occurred, over all columns."""
        return sum(count for (_, kind), count in self._counts.items() if kind == problem)


def shorten(value: str) -> str:
    """`value` on one line and at most 60 characters long, fit for a report."""
    shown = value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)


def check_header(contract: DataContract, header: Sequence[str]) -> tuple[Finding, ...]:
    """What is wrong with a header, which must be the contract's columns, in that order and no others."""
    expected = contract.column_names
    found = Counter(header)
    problems = [(name, MISSING_COLUMN) for name in expected if name not in found]
    problems += [(name, UNEXPECTED_COLUMN) for name in found if name not in expected]
    problems += [(name, REPEATED_COLUMN) for name, times in found.items() if times > 1]
    if problems:
        return tuple(Finding(None, shorten(name), problem, line=1) for name, problem in problems)
    return tuple(
        Finding(None, name, MISPLACED_COLUMN, f"place {place}, expected {expected.index(name) + 1}", line=1)
        for place, name in enumerate(header, start=1)
        if expected[place - 1] != name
    )


class RowChecker:
    """Checks rows, batch by batch, against a contract. Mutable: remembers rows seen, to find duplicates.

    Duplicates are recognised by 64-bit hashes of the row's values, which takes about 100 bytes of memory
    per row; beyond `tracked_rows` rows a repetition is found only of a row among the first ones.
    """

    def __init__(self, contract: DataContract, log: FindingLog | None = None, *, tracked_rows: int = 1_000_000) -> None:
        self._contract = contract
        self._tracked_rows = tracked_rows
        self.log = log or FindingLog()
        self.rows_checked = 0
        self._checks = tuple(_value_check(column) for column in contract.columns)
        self._rows_seen: dict[int, int] = {}
        self._keys_seen: dict[int, int] = {}
        self._key_of = _key_getter(contract)

    def check(self, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
        """Check parsed rows; `numbers` are their row numbers (a range will do), 1 for the first data row."""
        self.rows_checked += len(rows)
        width = len(self._contract.columns)
        if any(len(row) != width for row in rows):
            rows, numbers = self._of_right_width(rows, numbers)
        for index, values in enumerate(zip(*rows, strict=True)):
            self._check_column(index, values, numbers)
        self._check_duplicates(rows, numbers)

    def _of_right_width(
        self, rows: Sequence[Sequence[str]], numbers: Sequence[int]
    ) -> tuple[list[Sequence[str]], list[int]]:
        width = len(self._contract.columns)
        problem = f"wrong number of fields, expected {width}"
        right: list[Sequence[str]] = []
        right_numbers: list[int] = []
        for number, row in zip(numbers, rows, strict=True):
            if len(row) == width:
                right.append(row)
                right_numbers.append(number)
            else:
                self.log.add(Finding(number, None, problem, f"{len(row)} field(s)", line=number + 1))
        return right, right_numbers

    def _check_column(self, index: int, values: Sequence[str], numbers: Sequence[int]) -> None:
        column, check = self._contract.columns[index], self._checks[index]
        if column.type == "string":
            if not column.required and not column.allowed:
                return
        elif _numbers_fit(column, values):
            return
        bad = {value: problem for value in set(values) if (problem := check(value)) is not None}
        if not bad:
            return
        for number, value in zip(numbers, values, strict=True):
            if value in bad:
                shown = HIDDEN if column.sensitive else shorten(value)
                self.log.add(Finding(number, column.name, bad[value], shown, line=number + 1))

    def _check_duplicates(self, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
        repeated = self._repetitions(map(hash, map(tuple, rows)), numbers, self._rows_seen)
        for number, first in repeated.items():
            self.log.add(Finding(number, None, DUPLICATE_ROW, f"row {first}", line=number + 1))
        if self._key_of is None:
            return
        for number, first in self._repetitions(map(hash, map(self._key_of, rows)), numbers, self._keys_seen).items():
            if number not in repeated:
                self.log.add(Finding(number, None, DUPLICATE_KEY, f"row {first}", line=number + 1))

    def _repetitions(self, hashes: Iterable[int], numbers: Sequence[int], seen: dict[int, int]) -> dict[int, int]:
        """`{row number: number of the earlier row}` of the rows whose hash was seen before."""
        if len(seen) >= self._tracked_rows:
            return {number: seen[one] for number, one in zip(numbers, hashes, strict=True) if one in seen}
        remember = seen.setdefault
        return {
            number: first
            for number, one in zip(numbers, hashes, strict=True)
            if (first := remember(one, number)) != number
        }


def _key_getter(contract: DataContract) -> Callable[[Sequence[str]], object] | None:
    """How to take the key from a row; None when there is none, or when it is the whole row."""
    names = contract.column_names
    if not contract.key or set(contract.key) == set(names):
        return None
    return itemgetter(*(names.index(name) for name in contract.key))


def _value_check(column: Column) -> Callable[[str], str | None]:
    """The check of one value of a column: text -> problem or None."""
    return _string_check(column) if column.type == "string" else _number_check(column)


def _numbers_fit(column: Column, values: Sequence[str]) -> bool:
    """Whether all values of a numeric column are fine, decided at once; False asks for a closer look."""
    text = "\n".join(values) + "\n"
    if not _COLUMN_OF[column.type].fullmatch(text) or text.count("\n") != len(values):
        return False
    numbers = list(map(float, filter(None, values)))
    if len(numbers) < len(values) and column.required:
        return False
    if not numbers:
        return True
    lowest, highest = min(numbers), max(numbers)
    if not (isfinite(lowest) and isfinite(highest)):
        return False
    if column.minimum is not None and lowest < column.minimum:
        return False
    if column.maximum is not None and highest > column.maximum:
        return False
    return not column.allowed or set(numbers) <= set(column.allowed)


def _string_check(column: Column) -> Callable[[str], str | None]:
    required, allowed = column.required, frozenset(column.allowed)

    def check(value: str) -> str | None:
        if not value or value.isspace():
            return REQUIRED_EMPTY if required else None
        return NOT_ALLOWED if allowed and value not in allowed else None

    return check


def _number_check(column: Column) -> Callable[[str], str | None]:
    required, minimum, maximum, allowed = (
        column.required,
        column.minimum,
        column.maximum,
        frozenset(column.allowed),
    )
    pattern, wrong_type = (_INTEGER, NOT_AN_INTEGER) if column.type == "integer" else (_NUMBER, NOT_A_NUMBER)
    parse: Callable[[str], float] = int if column.type == "integer" else float

    def check(value: str) -> str | None:
        if not value:
            return REQUIRED_EMPTY if required else None
        if not pattern.fullmatch(value):
            return wrong_type
        number = parse(value)
        if not isfinite(number):
            return wrong_type
        if minimum is not None and number < minimum:
            return f"below the minimum {minimum}"
        if maximum is not None and number > maximum:
            return f"above the maximum {maximum}"
        return NOT_ALLOWED if allowed and number not in allowed else None

    return check
