"""The columns of captured requests for a baseline that does not say them: one that Model Monitor made.

There a row is the model's answer followed by its inputs, and model quality has no list of columns at all.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from drift_monitor.files.baseline_folder import renamed_outputs
from drift_monitor.monitored_model import MonitoredModel, ProblemType
from drift_monitor.schema import Column, ColumnType, DataSchema

_LINES = 100
_LONGEST_LINE = 1 << 20


def with_captured_columns(model: MonitoredModel, files: Sequence[Path]) -> MonitoredModel:
    """The model with the inputs and outputs that its requests have; as it is if they say nothing, or nothing new."""
    names = next(_inputs(files), None)
    schema = model.baseline.schema
    if names is None:
        return model
    if not schema.inputs:
        # As texts, which every value is: nothing but answers and labels is looked at without a baseline of the data.
        kind = ColumnType.FRACTIONAL if model.answers.problem_type is ProblemType.REGRESSION else ColumnType.STRING
        outputs = (Column(model.answers.prediction, kind),)
        found = DataSchema(inputs=tuple(Column(name, ColumnType.STRING) for name in names), outputs=outputs)
        return replace(model, baseline=replace(model.baseline, schema=found))
    answers = len(schema.inputs) - len(names)
    separate = model.baseline.profile.columns.keys() - {column.name for column in schema.inputs}
    if answers > 0 and separate.isdisjoint(column.name for column in schema.outputs):
        return renamed_outputs(model, tuple(column.name for column in schema.inputs[:answers]))
    return model


def _inputs(files: Sequence[Path]) -> Iterator[list[str]]:
    """Names of the inputs of the first requests; those of CSV are numbered as Model Monitor does."""
    for line in islice(_lines(files), _LINES):
        try:
            side = json.loads(line)["captureData"]["endpointInput"]
            names = _names(side["data"], str(side.get("encoding")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if names:
            yield names


def _lines(files: Sequence[Path]) -> Iterator[bytes]:
    for file in files:
        if file.suffix == ".jsonl":
            with file.open("rb") as stream:
                yield from iter(lambda: stream.readline(_LONGEST_LINE), b"")


def _names(data: str, encoding: str) -> list[str]:
    if encoding == "CSV":
        return [f"_c{number}" for number in range(len(next(csv.reader([data.split("\n", 1)[0]]))))]
    value: Any = json.loads(data)
    return [str(name) for name in value] if isinstance(value, dict) and "instances" not in value else []
