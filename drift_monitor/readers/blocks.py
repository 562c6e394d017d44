"""JSON Lines files as blocks of whole lines, so that many small files cost as little as a few large ones.

Must not look into the lines. All blocks are read into the same memory, which only grows for a line longer than a block.
"""

import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drift_monitor.errors import ReaderError
from drift_monitor.readers.health import HealthCounter

# Small enough for a processor's cache, large enough for the work per block not to matter.
BLOCK_BYTES = 4 << 20
_HEAP_BYTES = 16 << 20
# SageMaker takes requests of up to 25 MB, which Base64 and the answer make longer.
LONGEST_LINE_BYTES = 64 << 20
_SUFFIXES = (".jsonl", ".jsonl.gz")
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LEAST_SPACE = 1 << 12
ReadInto = Callable[[memoryview], int | None]
_HOUR_FOLDER = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]*$")


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines, each with its newline, of files of the same hour; `hour` is the folder's (UTC), if it has one.

    `text`: shape (bytes,); it may be changed, and it is overwritten once the next block is asked for.
    """

    text: NDArray[np.uint8]
    hour: datetime | None


def list_files(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and of folders all .jsonl and .jsonl.gz files below them, in the order of their names.

    Raises ReaderError if a path does not exist.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(sorted(_files_below(path)))
        elif path.exists():
            files.append(path)
        else:
            raise ReaderError(f"{path} does not exist; name a JSON Lines file, or a folder with such files")
    return files


def read_blocks(files: Iterable[Path], health: HealthCounter) -> Iterator[Block]:
    """The lines of all files. Files that are damaged are read as far as possible, and counted in `health`.

    Raises ReaderError if a file cannot be opened or read at all.
    """
    # As much as the largest piece of memory that was ever freed, glibc keeps for the next block's arrays, instead of
    # giving it back to the kernel and asking for it again, which would cost a fifth of the time. This is never touched.
    np.empty(_HEAP_BYTES, np.uint8)
    lines = _Lines()
    hour: datetime | None = None
    for file in files:
        file_hour = hour_of(file)
        if file_hour != hour:
            yield from lines.taken(hour)
        hour = file_hour
        for _ in _filled(lines, file, health):
            yield from lines.taken(hour)
    yield from lines.taken(hour)


def hour_of(file: Path) -> datetime | None:
    """The hour of the folder yyyy/mm/dd/hh that a file lies in (UTC); None if it lies in none."""
    match = _HOUR_FOLDER.search(file.as_posix())
    if match is None:
        return None
    year, month, day, hour = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        base = Path(parent)
        yield from (base / name for name in names if name.endswith(_SUFFIXES) and not name.startswith("."))


class _Lines:
    """The memory: whole lines, and behind them what there is of the next one."""

    def __init__(self) -> None:
        self._memory = bytearray(BLOCK_BYTES)
        self._whole = 0
        self._end = 0

    @property
    def rest(self) -> memoryview:
        """What there is of the next line."""
        return memoryview(self._memory)[self._whole : self._end]

    @property
    def full(self) -> bool:
        """Whether the whole lines are to be taken before more is read."""
        return self._whole > 0 and len(self._memory) - self._end < _LEAST_SPACE

    def read(self, readinto: ReadInto, *, first: bool) -> bool:
        """Read more; whether there was anything. Of what is `first` in a file a byte order mark is left out."""
        if len(self._memory) - self._end < _LEAST_SPACE:
            self._memory = self._memory.ljust(2 * len(self._memory))
        begin = self._end
        self._end += readinto(memoryview(self._memory)[begin:]) or 0
        if self._end == begin:
            return False
        if first and self._memory.startswith(BYTE_ORDER_MARK, begin, self._end):
            text = self._memory[begin + len(BYTE_ORDER_MARK) : self._end]
            self._end = begin + len(text)
            self._memory[begin : self._end] = text
        self._whole = max(self._whole, self._memory.rfind(b"\n", begin, self._end) + 1)
        return True

    def end_line(self) -> None:
        """Give a last line that has no newline one."""
        if self._end > self._whole:
            self._memory[self._end] = ord("\n")
            self._end += 1
            self._whole = self._end

    def drop_rest(self) -> None:
        """Forget what there is of the next line."""
        self._end = self._whole

    def taken(self, hour: datetime | None) -> Iterator[Block]:
        """The whole lines, if there are any; their memory is free afterwards."""
        if self._whole:
            yield Block(np.frombuffer(self._memory, np.uint8, self._whole), hour)
            rest = bytes(self.rest)
            self._memory[: len(rest)] = rest
            self._whole, self._end = 0, len(rest)


def _filled(lines: _Lines, file: Path, health: HealthCounter) -> Iterator[None]:
    """Read a file; whenever this yields, the whole lines are to be taken."""
    health.files += 1
    first = True
    with _opened(file) as readinto:
        while _read(lines, readinto, file, health, first=first):
            first = False
            if lines.full:
                yield
            if len(lines.rest) > LONGEST_LINE_BYTES:
                # What follows of the line is counted again, at its end.
                health.unreadable("a line is too long", bytes(lines.rest))
                lines.drop_rest()
    lines.end_line()
    if first:
        health.problem("a file is empty", file.name)


def _read(lines: _Lines, readinto: ReadInto, file: Path, health: HealthCounter, *, first: bool) -> bool:
    try:
        return lines.read(readinto, first=first)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        health.problem("a gzip file is damaged", file.name)
    except OSError as error:
        raise _cannot_be_read(file, error) from None
    return False


@contextmanager
def _opened(file: Path) -> Iterator[ReadInto]:
    try:
        raw = file.open("rb", buffering=0)
    except OSError as error:
        raise _cannot_be_read(file, error) from None
    with raw:
        is_gzip = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        if not is_gzip:
            yield raw.readinto
            return
        with gzip.GzipFile(fileobj=raw) as stream:
            # Not readinto(): what it unpacked before the damage would be lost.
            yield stream.readinto1


def _cannot_be_read(file: Path, error: OSError) -> ReaderError:
    return ReaderError(f"{file} cannot be read: {error.strerror or error}")
