"""The measured process of ours: Parquet or captured events to all distances and p-values against a stored baseline.

`python -m benchmarks.drift.ours baseline DATA PROFILE | table PROFILE DATA | capture PROFILE FOLDER | decode DATA`.
Prints one line of JSON. Imports are made where the monitor's own command makes them: after numpy's settings.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.drift.columns import event_schema, table_schema
from benchmarks.drift.hour import BEGIN, SECONDS
from benchmarks.drift.peak import peak_megabytes
from drift_monitor.processor import prefer_fast_sort

if TYPE_CHECKING:
    import pyarrow as pa


def run(mode: str, *places: Path) -> dict[str, Any]:
    """What to print; `import_cpu` are the CPU-seconds from the start of the process to the first byte of data."""
    if mode == "decode":
        return _decode(*places)
    if mode == "baseline":
        return _baseline(*places)
    return _analyse(*places, captured=mode == "capture")


def _decode(data: Path) -> dict[str, Any]:
    """The floor: every value decoded once, as the monitor's reader asks pyarrow for them."""
    import pyarrow.parquet as pq

    import_cpu = time.process_time()
    texts = [column.name for column in table_schema().inputs if column.name.startswith("category")]
    with pq.ParquetFile(data, pre_buffer=False, read_dictionary=texts) as source:
        rows = sum(batch.num_rows for batch in source.iter_batches(batch_size=1 << 16, use_threads=False))
    return {"import_cpu": import_cpu, "rows": rows}


def _baseline(data: Path, profile: Path) -> dict[str, Any]:
    from drift_monitor.baseline import build_baseline
    from drift_monitor.profile.storage import write_baseline_profile
    from drift_monitor.readers.tabular import read_table

    import_cpu = time.process_time()
    schema = table_schema()
    baseline = build_baseline(read_table(data, schema=schema), schema=schema)
    write_baseline_profile(baseline.profile, profile)
    return {"import_cpu": import_cpu, "rows": baseline.profile.rows}


def _analyse(profile: Path, data: Path, *, captured: bool) -> dict[str, Any]:
    from drift_monitor.drift.detection import detect
    from drift_monitor.drift.policy import AlarmPolicy
    from drift_monitor.profile.dataset import Profiler
    from drift_monitor.profile.storage import read_baseline_profile

    batches = _events(data) if captured else _rows(data)
    import_cpu = time.process_time()
    baseline = read_baseline_profile(profile)
    profiler = Profiler(baseline.anchors)
    for batch in batches:
        profiler.add(batch)
    window = profiler.result()
    features = detect(baseline, window, policy=AlarmPolicy())
    return {
        "import_cpu": import_cpu,
        "rows": window.rows,
        "distances": {feature.feature: [feature.distance, feature.distance_error] for feature in features},
        "drifted": [feature.feature for feature in features if feature.stands_out],
    }


def _rows(data: Path) -> "Iterator[pa.RecordBatch]":
    from drift_monitor.readers.tabular import read_table

    return read_table(data, schema=table_schema())


def _events(folder: Path) -> "Iterator[pa.RecordBatch]":
    from drift_monitor.readers.capture import read_capture
    from drift_monitor.readers.health import HealthCounter
    from drift_monitor.results import Window

    hour = Window(start=BEGIN, end=BEGIN + timedelta(seconds=SECONDS))
    return read_capture([folder], schema=event_schema(), window=hour, health=HealthCounter())


def main(mode: str, *paths: str) -> None:
    """Set numpy up as the monitor's command does, run, and print."""
    prefer_fast_sort(os.environ)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    result = run(mode, *map(Path, paths))
    print(json.dumps(result | {"peak_mb": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
