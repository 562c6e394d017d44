"""Reads a CSV file once, in chunks, and checks it against a data contract in bounded memory.

One line is one record: Athena does not read line breaks inside a field
(https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html), so a quoted line break is a finding. The
whole file is hashed, counted and searched for text that is no UTF-8; of a large file only a part of the
rows is checked one by one (`CheckLimits`). Must not know S3: the caller brings the chunks.
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_contracts.checks import (
    DUPLICATE_KEY,
    DUPLICATE_ROW,
    Finding,
    FindingLog,
    RowChecker,
    Total,
    check_header,
    shorten,
)
from data_contracts.contract import DataContract

EMPTY_FILE = "the file is empty"
BYTE_ORDER_MARK = "the file starts with a byte order mark; save it as plain UTF-8"
NOT_UTF8 = "the text is not UTF-8; save the file as UTF-8"
NUL_BYTE = "the line holds a NUL byte, so the file is damaged or not a CSV file"
BLANK_LINE = "blank line; remove it"
OPEN_QUOTE = "a quoted field is not closed on its line; line breaks inside a field are not allowed"
BROKEN_LINE = "the line cannot be read as CSV"
TOO_FEW_ROWS = "fewer rows than the contract demands"

# What a file may have and still pass: several rows may rightly describe one thing.
WARNINGS = frozenset({DUPLICATE_KEY})

MIB = 1024 * 1024
# In characters. The csv module's limit of one field is the same, so no field of a shorter line exceeds it.
LONGEST_LINE = 131_072
LONG_LINE = f"the line is longer than {LONGEST_LINE} characters"

# Findings after which a file is only hashed and counted: one that is wrong everywhere must not take minutes.
ENOUGH_FINDINGS = 10_000

# Bytes examined at once: enough lines to check by column, few enough to stop soon when all of them are bad.
_BLOCK = MIB // 4
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """Bytes: a file up to `full` is checked row by row, of a larger one `head` and about `spread` of the rest."""

    full: int = 32 * MIB
    head: int = 8 * MIB
    spread: int = 24 * MIB


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one reading of a file found. `rows` counts data rows, `rows_checked` those checked one by one."""

    size: int
    sha256: str
    rows: int
    rows_checked: int
    checked: Literal["all", "sample", "none"]
    findings: tuple[Finding, ...]
    totals: tuple[Total, ...]
    duplicate_rows: int
    duplicate_keys: int

    @property
    def accepted(self) -> bool:
        """Whether nothing was found that the contract forbids."""
        return not self.errors

    @property
    def errors(self) -> tuple[Total, ...]:
        """The totals that make the file unacceptable, without the warnings."""
        return tuple(total for total in self.totals if total.problem not in WARNINGS)


def check_path(path: Path, contract: DataContract, *, limits: CheckLimits | None = None) -> FileReport:
    """Check the file at `path`; OSError when it cannot be read."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(MIB), b"")
        return check_chunks(chunks, contract, size=path.stat().st_size, limits=limits)


def check_chunks(
    chunks: Iterable[bytes], contract: DataContract, *, size: int, limits: CheckLimits | None = None
) -> FileReport:
    """Check a file that arrives as chunks of together `size` bytes; no content makes it raise."""
    checker = FileChecker(contract, size=size, limits=limits)
    for chunk in chunks:
        checker.feed(chunk)
    return checker.finish()


class FileChecker:
    """Takes a file chunk by chunk, then gives the report. Mutable: it holds the state of one reading."""

    def __init__(self, contract: DataContract, *, size: int, limits: CheckLimits | None = None) -> None:
        self._contract = contract
        self._limits = limits or CheckLimits()
        self._size = size
        self._log = FindingLog()
        self._rows = RowChecker(contract, self._log)
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._lines = 0
        self._carry = b""
        self._header_fits = False
        self._blocks_skipped = 0
        self._stopped = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._digest.update(chunk)
        for start in range(0, len(chunk), _BLOCK):
            self._take(chunk[start : start + _BLOCK])

    def finish(self) -> FileReport:
        """The report, after the last chunk."""
        if self._carry and not self._stopped:
            self._check_block(self._carry)
        rows = max(self._lines - 1, 0)
        if not self._bytes:
            self._log.add(Finding(None, None, EMPTY_FILE))
        elif self._header_fits and rows < self._contract.minimum_rows and not self._stopped:
            shown = f"{rows} row(s), at least {self._contract.minimum_rows} needed"
            self._log.add(Finding(None, None, TOO_FEW_ROWS, shown))
        return FileReport(
            size=self._bytes,
            sha256=self._digest.hexdigest(),
            rows=rows,
            rows_checked=self._rows.rows_checked,
            checked=self._extent(),
            findings=self._log.findings,
            totals=self._log.totals,
            duplicate_rows=self._log.count(DUPLICATE_ROW),
            duplicate_keys=self._log.count(DUPLICATE_KEY),
        )

    def _extent(self) -> Literal["all", "sample", "none"]:
        if not self._header_fits:
            return "none"
        return "sample" if self._blocks_skipped or self._stopped else "all"

    def _take(self, piece: bytes) -> None:
        """Check the whole lines that are there, and keep the unfinished last one for later."""
        self._bytes += len(piece)
        if self._stopped:
            return
        data = self._carry + piece
        cut = data.rfind(b"\n") + 1
        self._carry = data[cut:]
        if cut:
            self._check_block(data[:cut])
        # Up to 4 bytes make a character. A file without line breaks must not fill the memory.
        if len(self._carry) > 4 * LONGEST_LINE:
            self._log.add(Finding(self._lines or None, None, LONG_LINE, line=self._lines + 1))
            self._carry, self._stopped = b"", True

    def _without_mark(self, block: bytes) -> bytes:
        """The first block without a byte order mark; text in UTF-16 is not read any further."""
        if block.startswith(_UTF16_MARKS):
            self._log.add(Finding(None, None, NOT_UTF8, "UTF-16", line=1))
            self._stopped = True
        elif block.startswith(_UTF8_MARK):
            self._log.add(Finding(None, None, BYTE_ORDER_MARK, line=1))
        return block.removeprefix(_UTF8_MARK)

    def _check_block(self, block: bytes) -> None:
        """Check whole lines. Everything is searched for damage, rows are checked where `_wanted` says so."""
        first_line = self._lines + 1
        self._lines += block.count(b"\n") + (not block.endswith(b"\n"))
        if self._log.total - self._log.count(DUPLICATE_KEY) >= ENOUGH_FINDINGS:
            self._blocks_skipped += 1
            return
        if first_line == 1:
            block = self._without_mark(block)
        if self._stopped:
            return
        text = self._text(block, first_line)
        if first_line == 1:
            header, _, text = text.partition("\n")
            self._check_header(header)
            first_line = 2
        if not text or not self._header_fits:
            return
        if self._wanted():
            lines = text.removesuffix("\n").split("\n")
            self._check_lines(lines, range(first_line - 1, first_line - 1 + len(lines)))
        else:
            self._blocks_skipped += 1

    def _wanted(self) -> bool:
        """Whether the rows at the present place are checked: all of a small file, a spread of a large one."""
        if self._size <= self._limits.full or self._bytes <= self._limits.head:
            return True
        stride = -(-(self._size - self._limits.head) // self._limits.spread)
        return (self._bytes // MIB) % stride == 0

    def _text(self, block: bytes, first_line: int) -> str:
        """The block as text; lines that are no UTF-8 or hold NUL bytes are named."""
        if b"\0" in block:
            for number, line in enumerate(block.split(b"\n"), start=first_line):
                if b"\0" in line:
                    self._log.add(Finding(number - 1 or None, None, NUL_BYTE, line=number))
        try:
            return block.decode("utf-8")
        except UnicodeDecodeError:
            for number, line in enumerate(block.split(b"\n"), start=first_line):
                self._check_encoding(line, number)
            return block.decode("utf-8", errors="replace")

    def _check_encoding(self, line: bytes, number: int) -> None:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = f"byte 0x{line[error.start]:02x} at place {error.start + 1} of the line"
            self._log.add(Finding(number - 1 or None, None, NOT_UTF8, shown, line=number))

    def _check_header(self, line: str) -> None:
        header = self._record(line, 1)
        problems = check_header(self._contract, header or [])
        self._log.extend(problems)
        self._header_fits = not problems

    def _check_lines(self, lines: list[str], numbers: range) -> None:
        """Check data lines: usually in one pass of the csv module, one by one when a line is bad."""
        if max(map(len, lines)) <= LONGEST_LINE:
            try:
                rows = list(csv.reader(lines, delimiter=self._contract.delimiter, strict=True))
            except csv.Error:
                rows = []
            # As many rows as lines means that no field went over the end of its line.
            if len(rows) == len(lines) and all(rows):
                self._rows.check(rows, numbers)
                return
        read = [(number, self._record(line, number + 1)) for number, line in zip(numbers, lines, strict=True)]
        good = [(number, row) for number, row in read if row is not None]
        self._rows.check([row for _, row in good], [number for number, _ in good])

    def _record(self, line: str, line_number: int) -> list[str] | None:
        """The fields of one line; None, with a finding, when it is no record."""
        row_number = line_number - 1 or None
        if len(line) > LONGEST_LINE:
            self._log.add(Finding(row_number, None, LONG_LINE, line=line_number))
            return None
        try:
            fields = next(csv.reader([line], delimiter=self._contract.delimiter, strict=True), [])
        except csv.Error as error:
            problem = OPEN_QUOTE if "unexpected end of data" in str(error) else BROKEN_LINE
            self._log.add(Finding(row_number, None, problem, shorten(str(error)), line=line_number))
            return None
        if not fields:
            self._log.add(Finding(row_number, None, BLANK_LINE, line=line_number))
            return None
        return fields
