"""The data that a command is given: captured requests with their labels, or tables."""

from dataclasses import replace
from pathlib import Path

from drift_monitor.errors import ReaderError
from drift_monitor.job.dataset import Dataset, find_dataset
from drift_monitor.job.request import WindowRequest
from drift_monitor.job.settings import DatasetFormat
from drift_monitor.readers.blocks import list_files
from drift_monitor.readers.json_tables import is_json_table


def given_dataset(path: Path, ground_truth: Path | None, request: WindowRequest) -> tuple[Dataset, DatasetFormat]:
    """The files at a path and what they are; `request` stands for the request.json of a job.

    JSON Lines are captured requests unless their first line is a record. Raises ReaderError if a path does not exist.
    """
    if not path.exists():
        raise ReaderError(
            f"{path} does not exist; name captured requests (.jsonl), a table (.csv, .parquet, .jsonl), or a folder"
        )
    found = find_dataset(path) if path.is_dir() else Dataset(path, _captured(path), (), request)
    labels = list_files([ground_truth]) if ground_truth else found.labels
    captured = [file for file in found.captured if file not in set(labels)]
    is_table = not captured or is_json_table(captured)
    dataset = replace(found, captured=() if is_table else captured, labels=labels, request=request)
    return dataset, DatasetFormat.TABLE if is_table else DatasetFormat.CAPTURE


def _captured(path: Path) -> list[Path]:
    return [path] if path.name.endswith((".jsonl", ".jsonl.gz")) else []
