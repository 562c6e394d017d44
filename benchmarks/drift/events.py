"""Captured events with the rows of a table as payloads, written by the monitor's own writer; made once."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.drift.columns import ANSWERS
from benchmarks.drift.hour import BEGIN, SECONDS
from benchmarks.drift.tables import DRIFT, table
from benchmarks.environments import CACHE
from drift_monitor.readers.capture_writer import CapturedCall, Payload, capture_line

FORMS = {"csv": "text/csv", "json": "application/json"}

_HOUR_FOLDER = "cars/AllTraffic/2026/11/23/18"
_SEED = 7
_VERSION = 1


def event_folder(events: int, *, form: str, files: int) -> Path:
    """A folder in the layout of data capture with that many events of one row each in that many files."""
    folder = CACHE / "drift" / f"events-{form}-{events}-{files}-v{_VERSION}"
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(f".{os.getpid()}")
    hour = unfinished / _HOUR_FOLDER
    hour.mkdir(parents=True)
    lines = _lines(events, form)
    for number in range(files):
        size = (number + 1) * events // files - number * events // files
        name = f"{60 * number // files:02d}-00-{number:05d}.jsonl"
        (hour / name).write_text("".join(next(lines) for _ in range(size)))
    unfinished.rename(folder)
    return folder


def repeated(folder: Path, times: int) -> Path:
    """A folder with the files of another one several times over, without taking more disk."""
    target = folder.with_name(f"{folder.name}-x{times}")
    shutil.rmtree(target, ignore_errors=True)
    for number in range(times):
        for file in sorted(folder.rglob("*.jsonl")):
            copy = target / file.relative_to(folder).with_stem(f"{file.stem}-{number}")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(file)
    return target


def _lines(events: int, form: str) -> Iterator[str]:
    names, rows = _rows(events)
    for number, row in enumerate(rows):
        answer = {ANSWERS[0]: round(number % 997 / 7, 4), ANSWERS[1]: round(number % 89 / 89, 6)}
        call = CapturedCall(
            time=_time(number, events),
            input=_payload(dict(zip(names, row, strict=True)), form),
            output=_payload(answer, form),
            event_id=str(uuid.UUID(int=number)),
        )
        yield capture_line(call)


def _rows(events: int) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Values as a caller sends them: at most seven digits, flags as 0 and 1."""
    rows = table(events, seed=_SEED, shifts=DRIFT)
    columns = [[_sent(value) for value in column.to_pylist()] for column in rows.columns]
    return rows.schema.names, zip(*columns, strict=True)


def _sent(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _payload(values: dict[str, Any], form: str) -> Payload:
    if form == "json":
        return Payload(json.dumps(values).encode(), FORMS[form])
    return Payload((",".join("" if value is None else str(value) for value in values.values())).encode(), FORMS[form])


def _time(number: int, events: int) -> datetime:
    return BEGIN + timedelta(seconds=SECONDS * number / events)
