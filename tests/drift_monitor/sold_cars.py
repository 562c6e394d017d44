"""A small market of cars for tests of whole analyses: a model version with all parts, and its captured requests."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from drift_monitor.baseline import AttributionBaseline
from drift_monitor.bias.groups import Facet, Group
from drift_monitor.bias.measure import BiasSettings
from drift_monitor.building import build
from drift_monitor.monitored_model import Answers, MonitoredModel
from drift_monitor.readers.capture_writer import CapturedCall, CaptureWriter, Payload
from drift_monitor.readers.ground_truth import label_line
from drift_monitor.results import Window
from drift_monitor.schema import Column, ColumnType, DataSchema

SCHEMA = DataSchema(
    inputs=(
        Column("year", ColumnType.INTEGRAL),
        Column("power", ColumnType.FRACTIONAL),
        Column("make", ColumnType.STRING),
    )
)
ANSWERS = Answers(label="price")
BIAS = BiasSettings(positive=Group(threshold=30_000.0), facets=(Facet(column="make", group=Group(values=("ford",))),))
HOUR = Window(start=datetime(2026, 11, 26, 12, tzinfo=UTC), end=datetime(2026, 11, 26, 13, tzinfo=UTC))
IMPORTANCE = {"year": 0.1, "power": 0.7, "make": 0.2}


def cars(rows: int, *, seed: int, power: float = 150.0, dearer: float = 1.0) -> pa.RecordBatch:
    """Cars with the model's prediction and their price; `dearer` is by how much prices have risen since training."""
    generator = np.random.default_rng(seed)
    years = generator.integers(2001, 2011, rows)
    powers = np.round(generator.normal(power, 40.0, rows), 1)
    makes = generator.choice(["ford", "audi", "fiat"], rows, p=[0.5, 0.3, 0.2])
    predictions = 10_000 + 130 * powers + 100 * (years - 2001)
    prices = np.round(predictions * dearer * generator.normal(1.0, 0.08, rows))
    return pa.record_batch(
        {
            "year": pa.array(years.tolist(), pa.int64()),
            "power": pa.array(powers.tolist(), pa.float64()),
            "make": pa.array(makes.tolist(), pa.string()),
            "prediction": pa.array(predictions.tolist(), pa.float64()),
            "price": pa.array(prices.tolist(), pa.float64()),
        }
    )


@cache
def monitored_model() -> MonitoredModel:
    """A version with baselines of its data, its quality and its bias."""
    holdout = pa.Table.from_batches([cars(1500, seed=2)])
    return build([cars(4000, seed=1)], schema=SCHEMA, answers=ANSWERS, holdout=holdout, bias=BIAS)


def explained_model() -> MonitoredModel:
    """The same with attributions, made up."""
    model = monitored_model()
    attribution = AttributionBaseline(method="path-dependent TreeSHAP", values=IMPORTANCE, expected_value=10.0)
    baseline = replace(model.baseline, attribution=attribution, importance=IMPORTANCE)
    return replace(model, baseline=baseline, background=np.ones((5, 3), np.float32))


def write_window(
    folder: Path, batch: pa.RecordBatch, *, labelled: bool = True, window: Window = HOUR, prefix: str = "e"
) -> None:
    """Captured requests below `capture`, spread over a window, and their labels below `ground-truth` an hour later.

    The ids of the events are the prefix with the number of the row.
    """
    writer = CaptureWriter(folder / "capture", endpoint="prices", variant="AllTraffic")
    rows = batch.to_pylist()
    step = (window.end - window.start) / max(1, len(rows))
    lines = []
    for number, row in enumerate(rows):
        record = ",".join(str(row[column.name]) for column in SCHEMA.inputs)
        call = CapturedCall(
            time=window.start + number * step,
            input=Payload(record.encode(), "text/csv"),
            output=Payload(str(row["prediction"]).encode(), "text/csv"),
            event_id=f"{prefix}{number}",
        )
        writer.write(call)
        lines.append(label_line(f"{prefix}{number}", row["price"]))
    if labelled:
        arrived = window.start + timedelta(hours=1)
        file = folder / "ground-truth" / "prices" / f"{arrived:%Y/%m/%d/%H}" / "labels.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(lines))


def write_request(folder: Path, **members: object) -> None:
    """What the function that starts the job writes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(members))
