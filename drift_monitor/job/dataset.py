"""The folder `dataset_source` of a job: which of its files are requests, which are labels, and what was asked.

Our pipeline hands over the objects of a window under their own keys, with labels below a folder `ground-truth` and
the request; a monitoring schedule hands over captured hours, in which SageMaker's merge job has put labels.
"""

import filecmp
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from drift_monitor.errors import ReaderError
from drift_monitor.files.documents import read_document
from drift_monitor.job.request import WindowRequest, parse_window_request
from drift_monitor.job.settings import DatasetFormat
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.readers.blocks import list_files
from drift_monitor.readers.capture import read_capture
from drift_monitor.readers.ground_truth import Labels, read_labels
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.tabular import LABEL_FOLDER, read_table
from drift_monitor.results import Window
from drift_monitor.window import WindowData

_REQUEST = "request.json"
_MERGED = b'"groundTruthData"'


@dataclass(frozen=True)
class Dataset:
    """The files of a window."""

    folder: Path
    captured: Sequence[Path]
    labels: Sequence[Path]
    request: WindowRequest


def find_dataset(folder: Path) -> Dataset:
    """The files below a folder, which may lack; raises SettingsError if the request cannot be used."""
    found = list_files([folder]) if folder.is_dir() else []
    labels = [file for file in found if LABEL_FOLDER in file.relative_to(folder).parts]
    request = next(iter(sorted(folder.rglob(_REQUEST))), None)
    return Dataset(
        folder=folder,
        captured=[file for file in found if file not in set(labels)],
        labels=labels,
        request=parse_window_request(read_document(request)) if request else WindowRequest(),
    )


def captured_window(dataset: Dataset, model: MonitoredModel, *, window: Window | None, with_labels: bool) -> WindowData:
    """The captured rows of a window, and the labels among its files if they are asked for."""
    health = HealthCounter()
    labels = _labels(dataset, health) if with_labels else None
    files = _without_copies(dataset.captured, health)
    batches = read_capture(files, schema=model.baseline.schema, window=window, health=health)
    return WindowData(batches=batches, health=health, labels=labels)


def table_window(path: Path, model: MonitoredModel) -> WindowData:
    """The rows of tables; the label is the column that the baseline names."""
    health = HealthCounter()
    batches = read_table(path, schema=model.baseline.schema, health=health)
    return WindowData(batches=batches, health=health, label_column=model.answers.label)


def window_data(
    dataset: Dataset, model: MonitoredModel, *, kind: DatasetFormat, window: Window | None, with_labels: bool
) -> WindowData:
    """The window in either form."""
    if kind is DatasetFormat.TABLE:
        return table_window(dataset.folder, model)
    return captured_window(dataset, model, window=window, with_labels=with_labels)


def _without_copies(files: Sequence[Path], health: HealthCounter) -> list[Path]:
    """The files without copies of others: SageMaker gives each file a name of its own, so only equal names are read."""
    kept: dict[tuple[str, int], list[Path]] = {}
    for file in files:
        same = kept.setdefault((file.name, file.stat().st_size), [])
        if any(filecmp.cmp(file, other, shallow=False) for other in same):
            health.repeated_files += 1
        else:
            same.append(file)
    if not health.repeated_files:
        return list(files)
    chosen = {file for same in kept.values() for file in same}
    return [file for file in files if file in chosen]


def _labels(dataset: Dataset, health: HealthCounter) -> Labels:
    """Of ground truth files, else of the captured events themselves. Only problems are counted in `health`."""
    own = HealthCounter()
    labels = read_labels(dataset.labels, health=own) if dataset.labels else _merged_labels(dataset.captured, own)
    result = own.result()
    for reason, count in result.problems.items():
        health.problem(f"labels: {reason}", result.examples.get(reason, ""), count=count)
    return labels


def _merged_labels(files: Sequence[Path], health: HealthCounter) -> Labels:
    """Labels that SageMaker's merge job has put into events, as lines of ground truth.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "labels.jsonl"
        with file.open("w", encoding="utf-8") as stream:
            stream.writelines(line for captured in files for line in _label_lines(captured))
        return read_labels([file], health=health)


def _label_lines(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as stream:
            for line in stream:
                if _MERGED in line and (label := _label_line(line)) is not None:
                    yield label
    except OSError as error:
        raise ReaderError(f"{file} cannot be read: {error.strerror or error}") from None


def _label_line(line: bytes) -> str | None:
    """None for a line that is no event: reading the events counts those."""
    try:
        event = json.loads(line)
        metadata = event["eventMetadata"]
        key = metadata.get("inferenceId") or metadata["eventId"]
        label = {"groundTruthData": event["groundTruthData"], "eventMetadata": {"eventId": key}}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return json.dumps(label) + "\n"
