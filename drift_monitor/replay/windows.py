"""Past windows for a replay: from profiles that jobs have kept, from captured requests, or from a table with a time.

Each is counted against the baseline's edges, so that hours merge to days and weeks without reading anything again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_monitor.analysis import AnalysisRequest, judge, wanted
from drift_monitor.attribution.served_model import ServedModel
from drift_monitor.baseline import PROFILE_FILE
from drift_monitor.errors import ReaderError
from drift_monitor.files.documents import member, members, read_document
from drift_monitor.job.request import parse_window
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.dataset import DatasetProfile, Profiler, merge
from drift_monitor.profile.storage import read_window_profile
from drift_monitor.readers.capture import TIME
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.times import TIME_TYPE, read_times
from drift_monitor.replay.backtest import PastWindow
from drift_monitor.report.result_folder import REPORT_FILE
from drift_monitor.report.violations import find_violations, time_text
from drift_monitor.results import Window
from drift_monitor.window import Collected, Collector, WindowData, completed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Weeks begin on Monday; the epoch was a Thursday.
_FIRST_MONDAY = _EPOCH + timedelta(days=4)
# Eleven years of hours. More come of a time that is wrong.
_MOST_WINDOWS = 100_000
_DATA_QUALITY = "data_quality"


@dataclass(frozen=True, kw_only=True, eq=False)
class Judging:
    """What windows are judged by: the baseline, the analyses that are asked for, and the model if it is given."""

    model: MonitoredModel
    request: AnalysisRequest
    served: ServedModel | None = None

    def past(self, name: str, window: Window | None, collected: Collected) -> PastWindow:
        """A window with the violations that no alarm policy decides."""
        found = find_violations(judge(collected, self.model, self._others, served=self.served))
        return PastWindow(
            name=name,
            window=window,
            profile=collected.profile,
            others=tuple(violation.subject for violation in found),
            data_quality=_DATA_QUALITY in self.request.analyses,
        )

    def collector(self, data: WindowData) -> Collector:
        """For the rows of one window of the data."""
        return Collector(wanted(self.model, self._others, self.served), data)

    @property
    def _others(self) -> AnalysisRequest:
        return AnalysisRequest(
            subject=self.request.subject,
            analyses=self.request.analyses - {_DATA_QUALITY},
            policy=self.request.policy,
        )


def kept_windows(folder: Path, model: MonitoredModel, *, length: timedelta | None) -> list[PastWindow]:
    """The windows of result folders (profile.npz beside monitor_report.json) below a folder, in the order of time.

    `length` merges them. Raises ReaderError if there are none or they are of several monitors, BaselineError for one
    of another baseline.
    """
    reports = {file: read_document(file.with_name(REPORT_FILE)) for file in _kept_profiles(folder)}
    monitors = sorted({str(member(report, "subject").get("monitor")) for report in reports.values()})
    if len(monitors) > 1:
        raise ReaderError(f"{folder} has results of the monitors {', '.join(monitors)}; name the folder of one of them")
    found = (_kept(file, report, model) for file, report in reports.items())
    known = sorted(((one.window, one) for one in found if one.window), key=lambda pair: pair[0].start)
    if not known:
        raise ReaderError(f"{folder} has no results: no {PROFILE_FILE} beside a {REPORT_FILE} with a window")
    return _merged(known, length) if length else [one for _, one in known]


def captured_windows(data: WindowData, judging: Judging, *, length: timedelta, source: Path) -> list[PastWindow]:
    """Captured requests by the time of the request. Raises ReaderError if there are none."""
    windows = _Windows(judging, data)
    for batch in data.batches:
        complete = completed(batch, judging.model.baseline.schema, data)
        known = batch.column(TIME).is_valid()
        timed = batch.filter(known)
        windows.add(timed, complete.filter(known), _spans(timed.column(TIME), length))
    return windows.of_time(length, source)


def table_windows(
    data: WindowData, judging: Judging, *, time_column: str, length: timedelta, source: Path
) -> list[PastWindow]:
    """A table's rows by a column with times, or with numbers, of which each is a window (model years).

    Raises ReaderError if the table lacks the column, or has no rows with a time.
    """
    windows, ordinal = _Windows(judging, data), False
    for batch in data.batches:
        if time_column not in batch.schema.names:
            raise ReaderError(f"{source} has no column '{time_column}'; it has {', '.join(batch.schema.names)}")
        times = batch.column(time_column)
        ordinal = pa.types.is_integer(times.type) or pa.types.is_floating(times.type)
        if not ordinal:
            texts = times.dictionary_decode() if pa.types.is_dictionary(times.type) else times
            times = read_times(texts, folder_hour=None, health=HealthCounter())
        known = times.is_valid()
        complete = completed(batch, judging.model.baseline.schema, data)
        present = times.drop_null()
        keys = _numbers(present) if ordinal else _spans(present, length)
        windows.add(batch.filter(known), complete.filter(known), keys)
    return windows.of_numbers(source) if ordinal else windows.of_time(length, source)


@dataclass
class _Windows:
    """A collector for each window; mutable."""

    judging: Judging
    data: WindowData
    collectors: dict[int, Collector] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch, complete: pa.RecordBatch, keys: NDArray[np.int64]) -> None:
        """Take the rows of a batch, each for the window that it belongs to."""
        for key in np.unique(keys).tolist():
            if key not in self.collectors:
                self.collectors[key] = self.judging.collector(self.data)
            chosen = pa.array(keys == key)
            self.collectors[key].add(batch.filter(chosen), complete.filter(chosen))

    def of_time(self, length: timedelta, source: Path) -> list[PastWindow]:
        """All windows from the first to the last, each a multiple of the length after the start of a week.

        Those without rows are among them: production reports them, too, and they count for what is usual in a month.
        """
        self._check(source)
        first, last = min(self.collectors), max(self.collectors)
        if last - first > _MOST_WINDOWS:
            begin, end = (time_text(_span(key, length).start) for key in (first, last))
            raise ReaderError(
                f"the times of {source} go from {begin} to {end}, which is {last - first:,} windows; choose a longer "
                "window (--every), or leave out rows with a wrong time"
            )
        empty = Profiler(self.judging.model.baseline.profile.anchors).result()
        past = []
        for key in range(first, last + 1):
            window = _span(key, length)
            name, collector = time_text(window.start), self.collectors.get(key)
            past.append(
                PastWindow(name=name, window=window, profile=empty)
                if collector is None
                else self.judging.past(name, window, collector.result())
            )
        return past

    def of_numbers(self, source: Path) -> list[PastWindow]:
        """The windows by number."""
        self._check(source)
        return [self.judging.past(str(key), None, self.collectors[key].result()) for key in sorted(self.collectors)]

    def _check(self, source: Path) -> None:
        if not self.collectors:
            raise ReaderError(f"{source} has no rows with a time, so there are no windows to replay")


def _numbers(values: Any) -> NDArray[np.int64]:
    return np.asarray(pc.floor(values.cast(pa.float64()))).astype(np.int64)


def _spans(times: pa.Array, length: timedelta) -> NDArray[np.int64]:
    """The number of each time's window."""
    micros = np.asarray(times.cast(TIME_TYPE).cast(pa.int64()))
    first = (_FIRST_MONDAY - _EPOCH) // timedelta(microseconds=1)
    numbers: NDArray[np.int64] = (micros - first) // (length // timedelta(microseconds=1))
    return numbers


def _span(number: int, length: timedelta) -> Window:
    start = _FIRST_MONDAY + number * length
    return Window(start=start, end=start + length)


def _kept_profiles(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob(PROFILE_FILE)) if file.with_name(REPORT_FILE).exists())


def _kept(file: Path, report: Mapping[str, Any], model: MonitoredModel) -> PastWindow:
    """What a run has left. What it found beside the data's quality is taken as it was."""
    given: Mapping[str, str] = member(report, "window")
    window = parse_window(given["start"], given["end"]) if given else None
    others = [one for one in members(report, "violations") if one.get("analysis") != _DATA_QUALITY]
    return PastWindow(
        name=time_text(window.start) if window else file.parent.name,
        window=window,
        profile=read_window_profile(file, anchors=model.baseline.profile.anchors),
        others=tuple(str(one.get("subject")) for one in others),
        data_quality=bool(members(report, "features")),
    )


def _merged(known: Iterable[tuple[Window, PastWindow]], length: timedelta) -> list[PastWindow]:
    groups: dict[int, list[PastWindow]] = {}
    for window, one in known:
        groups.setdefault((window.start - _FIRST_MONDAY) // length, []).append(one)
    return [_joined(parts, _span(number, length)) for number, parts in sorted(groups.items())]


def _joined(parts: list[PastWindow], window: Window) -> PastWindow:
    profile: DatasetProfile = merge(part.profile for part in parts)
    return PastWindow(
        name=time_text(window.start),
        window=window,
        profile=profile,
        others=tuple(dict.fromkeys(subject for part in parts for subject in part.others)),
        data_quality=any(part.data_quality for part in parts),
    )
