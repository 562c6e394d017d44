"""Captured events to all distances and p-values: CSV and JSON payloads, many small files, and an hour of a gigabyte."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.drift.children import Measured, ours
from benchmarks.drift.events import event_folder, repeated
from benchmarks.drift.tables import parquet_file
from benchmarks.drift.verdicts import at_least, at_most
from benchmarks.measure import BenchmarkError

_LEAST_EVENTS = 350_000
_MOST_MEGABYTES = 400.0
_BASELINE_ROWS = 1_000_000
_FILES, _SMALL_FILE_EVENTS = 10, 100
_GIGABYTE = 1 << 30


def run(events: int, *, runs: int) -> Iterator[str]:
    """Lines of Markdown. Raises BenchmarkError if a process fails or loses events."""
    yield "| events | files | bytes per event | CPU-s | imports | peak MB | events per CPU-s |"
    yield "|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        profile = str(Path(folder) / "profile.npz")
        ours("baseline", str(parquet_file(_BASELINE_ROWS, current=False)), profile)
        csv = event_folder(events, form="csv", files=_FILES)
        measured = _measure(csv, profile, events=events, runs=runs)
        yield _line(f"{events:,}, CSV", csv, measured)
        verdicts = [at_least("CSV", measured.rows_per_cpu_second, _LEAST_EVENTS, unit="events per CPU-s")]
        for what, form, files in (
            ("JSON", "json", _FILES),
            ("CSV in small files", "csv", events // _SMALL_FILE_EVENTS),
        ):
            source = event_folder(events, form=form, files=files)
            yield _line(f"{events:,}, {what}", source, _measure(source, profile, events=events, runs=runs))
        times = -(-_GIGABYTE // _size(csv))
        hour = repeated(csv, times)
        measured = _measure(hour, profile, events=times * events, runs=1)
        yield _line(f"{times * events:,}, CSV, {_size(hour) / 1e9:.2f} GB", hour, measured)
        shutil.rmtree(hour)
        verdicts.append(at_most("the hour of a gigabyte", measured.peak_mb, _MOST_MEGABYTES, unit="MB"))
    yield ""
    yield from verdicts


def _measure(folder: Path, profile: str, *, events: int, runs: int) -> Measured:
    measured = ours("capture", profile, str(folder), runs=runs)
    if measured.rows != events:
        raise BenchmarkError(f"{folder}: {measured.rows} of {events} events were analysed")
    return measured


def _line(what: str, folder: Path, measured: Measured) -> str:
    cells = [
        what,
        f"{sum(1 for _ in folder.rglob('*.jsonl')):,}",
        f"{_size(folder) / measured.rows:.0f}",
        f"{measured.cpu:.2f}",
        f"{measured.import_cpu:.2f}",
        f"{measured.peak_mb:,.0f}",
        f"{measured.rows_per_cpu_second:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.jsonl"))
