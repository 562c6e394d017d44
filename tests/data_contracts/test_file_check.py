"""The check of a whole file: damage, structure, sizes and sampling."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.file_check import CheckLimits, FileReport, check_chunks, check_path
from tests.data_contracts.examples import HEADER, cars, file_of, good_file, row

KIB = 1024


def _check(data: bytes, limits: CheckLimits | None = None, *, chunk: int = 1 << 20) -> FileReport:
    chunks = (data[start : start + chunk] for start in range(0, len(data), chunk))
    return check_chunks(chunks, cars(), size=len(data), limits=limits)


def _problems(report: FileReport) -> list[tuple[int | None, str | None, str]]:
    return [(found.line, found.column, found.problem.split(";")[0]) for found in report.findings]


def test_a_good_file_is_accepted_with_its_hash_and_rows(tmp_path: Path) -> None:
    """The report of a good file holds what the snapshot needs."""
    data = good_file(rows=100)
    path = tmp_path / "cars.csv"
    path.write_bytes(data)
    report = check_path(path, cars())
    assert report.accepted
    assert (report.rows, report.rows_checked, report.checked, report.size) == (100, 100, "all", len(data))
    assert report.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_endings_of_windows_and_a_missing_last_one_are_fine(ending: str, last: bool) -> None:
    """Both line endings are CSV, with or without one after the last row."""
    text = ending.join([HEADER, row(1), row(2)]) + (ending if last else "")
    report = _check(text.encode())
    assert report.accepted
    assert report.rows == 2


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"", None, "the file is empty"),
        (HEADER.encode(), None, "fewer rows than the contract demands"),
        (good_file(1), None, "fewer rows than the contract demands"),
        (b"\xef\xbb\xbf" + good_file(), 1, "the file starts with a byte order mark"),
        (good_file().decode().encode("utf-16"), 1, "the text is not UTF-8"),
        (good_file().replace(b"make2", b"Citro\xebn"), 4, "the text is not UTF-8"),
        (
            good_file().replace(b"make2", b"ma\0ke"),
            4,
            "the line holds a NUL byte, so the file is damaged or not a CSV file",
        ),
        (file_of([row(1), "", row(2)]), 3, "blank line"),
        (good_file() + b"\n", 7, "blank line"),
        (file_of([row(1), 'audi,"a4,2015,,,,1', row(2)]), 3, "a quoted field is not closed on its line"),
        (file_of([row(1), 'audi,"a4"x,2015,,,,1', row(2)]), 3, "the line cannot be read as CSV"),
        (file_of([row(1), "a" * 200_000, row(2)]), 3, "the line is longer than 131072 characters"),
        (b"a" * 3_000_000, 1, "the line is longer than 131072 characters"),
        (good_file().replace(b"\n", b"\r"), 1, "the line cannot be read as CSV"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line_named(data: bytes, line: int | None, problem: str) -> None:
    """Each kind of damage is told by its own words, at its line."""
    report = _check(data)
    assert not report.accepted
    assert _problems(report)[0] == (line, None, problem)


def test_a_line_break_inside_a_field_is_named_and_the_lines_after_it_are_still_checked() -> None:
    """Athena does not read such a field; the row numbers of later findings stay right."""
    report = _check(file_of([row(1), 'audi,"a\n4",2015,petrol,1,trade,1', row(2), row(3).replace("petrol", "coal")]))
    assert _problems(report) == [
        (3, None, "a quoted field is not closed on its line"),
        (4, None, "wrong number of fields, expected 7"),
        (6, "fuel", "not one of the allowed values"),
    ]


def test_a_wrong_value_in_row_4711_is_named_whatever_the_chunks(tmp_path: Path) -> None:
    """Row, column and value are exact, also when rows straddle the chunks."""
    rows = [row(number) for number in range(1, 6001)]
    rows[4710] = rows[4710].replace("petrol", "coal")
    for chunk in (1 << 20, 1009):
        report = _check(file_of(rows), chunk=chunk)
        assert [(found.row, found.line, found.column, found.value) for found in report.findings] == [
            (4711, 4712, "fuel", "coal")
        ]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_byte_order_mark_is_seen_whatever_the_chunks(mark: bytes) -> None:
    """A mark that arrives in pieces is still a mark, and hides nothing of what comes after it."""
    data = mark + file_of([row(1), row(2).replace("petrol", "coal")])
    assert _problems(_check(data, chunk=1)) == _problems(_check(data))


def test_a_header_of_very_many_columns_is_checked_in_no_time() -> None:
    """Work grows with the length of a header, not with its square."""
    report = _check((",".join(f"c{number}" for number in range(20_000)) + "\n").encode())
    assert max(total.count for total in report.totals) == 1
    assert len(report.totals) == 20_000 + len(cars().columns)


def test_a_wrong_header_is_named_and_the_rows_are_only_counted() -> None:
    """With other columns, findings about rows would be noise."""
    report = _check(file_of([row(1), row(2), row(3)], header=HEADER.replace("fuel", "Fuel")))
    assert (report.rows, report.rows_checked, report.checked) == (3, 0, "none")
    assert _problems(report) == [(1, "Fuel", "column is not in the contract"), (1, "fuel", "column is missing")]


def test_a_repeated_row_refuses_a_file_and_a_repeated_key_only_warns() -> None:
    """Rows that say the same twice are an error of the supplier's export; the same key may be right."""
    twice = _check(file_of([row(1), row(2), row(1)]))
    assert not twice.accepted
    assert twice.duplicate_rows == 1
    same_key = _check(file_of([row(1), row(2), row(1).replace("trade", "private")]))
    assert same_key.accepted
    assert same_key.duplicate_keys == 1


def _large_file(rows: int, bad_row: int) -> Iterator[bytes]:
    yield f"{HEADER}\n".encode()
    for start in range(1, rows + 1, 10_000):
        lines = [row(number) for number in range(start, min(start + 10_000, rows + 1))]
        if start <= bad_row < start + 10_000:
            lines[bad_row - start] = lines[bad_row - start].replace("petrol", "coal")
        yield ("\n".join(lines) + "\n").encode()


def test_a_large_file_is_counted_whole_and_checked_by_sample() -> None:
    """All rows are counted and hashed; of the rows, the beginning and a spread of the rest are checked."""
    data = b"".join(_large_file(200_000, bad_row=40_000))
    limits = CheckLimits(full=1 << 20, head=2 << 20, spread=2 << 20)
    report = _check(data, limits)
    assert (report.rows, report.checked) == (200_000, "sample")
    assert 50_000 < report.rows_checked < 150_000
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    assert [(found.row, found.value) for found in report.findings] == [(40_000, "coal")]


def test_damage_is_found_in_rows_that_the_sample_leaves_out() -> None:
    """Text that is no UTF-8, or a NUL byte, is found anywhere in a large file."""
    data = bytearray(b"".join(_large_file(100_000, bad_row=0)))
    place = data.index(b"trade", 2 << 20)
    data[place] = 0xFF
    report = _check(bytes(data), CheckLimits(full=1 << 20, head=1 << 20, spread=1 << 20))
    assert report.checked == "sample"
    assert _problems(report) == [(data[:place].count(b"\n") + 1, None, "the text is not UTF-8")]


def test_a_file_that_is_wrong_everywhere_is_not_examined_to_its_end() -> None:
    """After thousands of findings the rest is only counted, so that a hostile file does not block the function."""
    data = HEADER.encode() + b"\n" + b"\xff\n" * (1 << 18)
    report = _check(data)
    assert (report.rows, report.checked) == (1 << 18, "sample")
    assert not report.accepted
    assert sum(total.count for total in report.totals) < 1 << 19
    assert len(report.findings) == 40


def test_warnings_do_not_end_the_check() -> None:
    """However often a key repeats, an error after that is still found."""
    rows = [row(1).replace("10001", str(1000 + number)) for number in range(40_000)]
    report = _check(file_of([*rows, row(2).replace("petrol", "coal")]))
    assert (report.duplicate_keys, report.checked, report.accepted) == (39_999, "all", False)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.booleans(), st.integers(1, 50))
def test_no_bytes_make_the_check_raise(data: bytes, after_header: bool, chunk: int) -> None:
    """Whatever is uploaded, the result is a report of the true size and hash, and the same for any chunks."""
    content = (f"{HEADER}\n".encode() if after_header else b"") + data
    report = _check(content, chunk=chunk)
    assert (report.size, report.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert report.rows == _check(content).rows
    assert report.accepted == _check(content).accepted


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_no_text_makes_the_check_raise(text: str) -> None:
    """The same for text, which comes further than random bytes."""
    report = _check((HEADER + "\n" + text).encode(errors="surrogatepass"))
    assert not report.accepted
