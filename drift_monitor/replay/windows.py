"""Past windows for a replay: from profiles that jobs have kept, from captured requests, or from a table with a time.

Each is counted against the baseline's edges, so that hours merge to days and weeks without reading anything again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_monitor.baseline import PROFILE_FILE
from drift_monitor.errors import ReaderError
from drift_monitor.files.documents import member, read_document
from drift_monitor.job.request import parse_window
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.dataset import DatasetProfile, ProfileAnchors, Profiler, merge
from drift_monitor.profile.storage import read_window_profile
from drift_monitor.readers.capture import TIME, read_capture
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.tabular import read_table
from drift_monitor.readers.times import TIME_TYPE, read_times
from drift_monitor.replay.backtest import PastWindow
from drift_monitor.report.result_folder import REPORT_FILE
from drift_monitor.report.violations import time_text
from drift_monitor.results import Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Weeks begin on Monday; the epoch was a Thursday.
_FIRST_MONDAY = _EPOCH + timedelta(days=4)


def kept_windows(folder: Path, model: MonitoredModel, *, length: timedelta | None) -> list[PastWindow]:
    """The windows of result folders (profile.npz beside monitor_report.json) below a folder, in the order of time.

    `length` merges them. Raises ReaderError if there are none, BaselineError for one of another baseline.
    """
    anchors = model.baseline.profile.anchors
    found = [
        (_reported_window(file.with_name(REPORT_FILE)), read_window_profile(file, anchors=anchors))
        for file in sorted(folder.rglob(PROFILE_FILE))
        if file.with_name(REPORT_FILE).exists()
    ]
    known = sorted(((window, profile) for window, profile in found if window), key=lambda one: one[0].start)
    if not known:
        raise ReaderError(f"{folder} has no results: no {PROFILE_FILE} beside a {REPORT_FILE} with a window")
    return _merged(known, length) if length else [_past(window, profile) for window, profile in known]


def captured_windows(path: Path, model: MonitoredModel, *, length: timedelta = HOUR) -> list[PastWindow]:
    """Captured requests below a folder, by the time of the request. Raises ReaderError if there are none."""
    batches = read_capture([path], schema=model.baseline.schema, window=None, health=HealthCounter())
    windows = _Windows(model.baseline.profile.anchors)
    for batch in batches:
        timed = batch.filter(batch.column(TIME).is_valid())
        windows.add(timed, _spans(timed.column(TIME), length))
    return windows.of_time(length, path)


def table_windows(path: Path, model: MonitoredModel, *, time_column: str, length: timedelta = DAY) -> list[PastWindow]:
    """A table's rows by a column with times, or with numbers, of which each is a window (model years).

    Raises ReaderError if the table lacks the column, or has no rows with a time.
    """
    windows, ordinal = _Windows(model.baseline.profile.anchors), False
    for batch in read_table(path, schema=model.baseline.schema):
        if time_column not in batch.schema.names:
            raise ReaderError(f"{path} has no column '{time_column}'; it has {', '.join(batch.schema.names)}")
        known = batch.filter(batch.column(time_column).is_valid())
        times = known.column(time_column)
        ordinal = pa.types.is_integer(times.type) or pa.types.is_floating(times.type)
        if not ordinal:
            texts = times.dictionary_decode() if pa.types.is_dictionary(times.type) else times
            times = read_times(texts, folder_hour=None, health=HealthCounter())
            known, times = known.filter(times.is_valid()), times.drop_null()
        keys = np.asarray(pc.floor(times.cast(pa.float64()))).astype(np.int64) if ordinal else _spans(times, length)
        windows.add(known, keys)
    return windows.of_numbers(path) if ordinal else windows.of_time(length, path)


@dataclass
class _Windows:
    """A profiler for each window; mutable."""

    anchors: ProfileAnchors
    profilers: dict[int, Profiler] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch, keys: NDArray[np.int64]) -> None:
        """Count the rows of a batch in the windows that they belong to."""
        for key in np.unique(keys).tolist():
            profiler = self.profilers.setdefault(key, Profiler(self.anchors))
            profiler.add(batch.filter(pa.array(keys == key)))

    def of_time(self, length: timedelta, path: Path) -> list[PastWindow]:
        """The windows, each of which is a multiple of the length after the start of a week."""
        return [_past(_span(key, length), profile) for key, profile in self._profiles(path)]

    def of_numbers(self, path: Path) -> list[PastWindow]:
        """The windows by number."""
        return [PastWindow(name=str(key), window=None, profile=profile) for key, profile in self._profiles(path)]

    def _profiles(self, path: Path) -> Iterator[tuple[int, DatasetProfile]]:
        if not self.profilers:
            raise ReaderError(f"{path} has no rows with a time, so there are no windows to replay")
        for key in sorted(self.profilers):
            yield key, self.profilers[key].result()


def _spans(times: pa.Array, length: timedelta) -> NDArray[np.int64]:
    """The number of each time's window."""
    micros = np.asarray(times.cast(TIME_TYPE).cast(pa.int64()))
    first = (_FIRST_MONDAY - _EPOCH) // timedelta(microseconds=1)
    numbers: NDArray[np.int64] = (micros - first) // (length // timedelta(microseconds=1))
    return numbers


def _span(number: int, length: timedelta) -> Window:
    start = _FIRST_MONDAY + number * length
    return Window(start=start, end=start + length)


def _merged(known: Iterable[tuple[Window, DatasetProfile]], length: timedelta) -> list[PastWindow]:
    groups: dict[int, list[DatasetProfile]] = {}
    for window, profile in known:
        groups.setdefault((window.start - _FIRST_MONDAY) // length, []).append(profile)
    return [_past(_span(number, length), merge(profiles)) for number, profiles in sorted(groups.items())]


def _past(window: Window, profile: DatasetProfile) -> PastWindow:
    return PastWindow(name=time_text(window.start), window=window, profile=profile)


def _reported_window(report: Path) -> Window | None:
    window: Mapping[str, str] = member(read_document(report), "window")
    return parse_window(window["start"], window["end"]) if window else None
