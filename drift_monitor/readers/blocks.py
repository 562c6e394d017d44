"""JSON Lines files as blocks of whole lines, so that many small files cost as little as a few large ones.

Must not look into the lines. Memory is bounded by the block size and by the longest line that is accepted.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from drift_monitor.errors import ReaderError
from drift_monitor.readers.health import HealthCounter

# Small enough for a processor's cache, large enough for the work per block not to matter.
BLOCK_BYTES = 2 << 20
# SageMaker takes requests of up to 25 MB, which Base64 and the answer make longer.
LONGEST_LINE_BYTES = 64 << 20
_SUFFIXES = (".jsonl", ".jsonl.gz")
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Piece = bytes | memoryview
_HOUR_FOLDER = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]*$")


@dataclass(frozen=True)
class Block:
    """Whole lines, each with its newline, of files of the same hour; `hour` is the folder's (UTC), if it has one."""

    data: bytes
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
    pending: list[Piece] = []
    size = 0
    hour: datetime | None = None
    for file in files:
        file_hour = hour_of(file)
        if pending and file_hour != hour:
            yield Block(b"".join(pending), hour)
            pending, size = [], 0
        hour = file_hour
        for pieces in _whole_lines(file, health):
            pending += pieces
            size += sum(map(len, pieces))
            if size >= BLOCK_BYTES // 2:
                yield Block(b"".join(pending), hour)
                pending, size = [], 0
    if pending:
        yield Block(b"".join(pending), hour)


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


def _whole_lines(file: Path, health: HealthCounter) -> Iterator[tuple[Piece, ...]]:
    """The file in pieces, of which those given together end with a newline; a last line without one gets it."""
    health.files += 1
    empty = True
    rest = b""
    for chunk in _chunks(file, health):
        lines = chunk.removeprefix(_BYTE_ORDER_MARK) if empty else chunk
        empty = False
        end = lines.rfind(b"\n") + 1
        if end:
            yield rest, memoryview(lines)[:end]
            rest = lines[end:]
        else:
            rest += lines
        if len(rest) > LONGEST_LINE_BYTES:
            # What follows of the line is counted again, at its end.
            health.unreadable("a line is too long", rest)
            rest = b""
    if rest:
        yield rest, b"\n"
    if empty:
        health.problem("a file is empty", file.name)


def _chunks(file: Path, health: HealthCounter) -> Iterator[bytes]:
    try:
        with file.open("rb", buffering=0) as raw:
            first = raw.read(BLOCK_BYTES)
            if not first.startswith(_GZIP):
                while first:
                    yield first
                    first = raw.read(BLOCK_BYTES)
                return
            raw.seek(0)
            yield from _unzipped(raw, file, health)
    except OSError as error:
        raise ReaderError(f"{file} cannot be read: {error.strerror or error}") from None


def _unzipped(raw: FileIO, file: Path, health: HealthCounter) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=raw) as stream:
        while True:
            try:
                # Not read(): what it unpacked before the damage would be lost.
                chunk = stream.read1(BLOCK_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                health.problem("a gzip file is damaged", file.name)
                return
            if not chunk:
                return
            yield chunk
