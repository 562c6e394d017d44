"""The models that are served: ours by the project's own steps from the car catalogue, the peer's from the same rows.

Two families, because they cost differently: a ridge regression on one-hot columns (what the project's selection keeps
on this data) and boosted trees (what most tabular models are).
"""

import csv
import json
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT, measure
from benchmarks.serving.processes import environment_of

LABEL = "msrp"
TREE_LEAVES, TREE_ITERATIONS = 31, 300
_YEARS = "2001-2016"
_STEPS = "sagemaker_pipelines.car_prices.steps"
# A ridge that is held to almost nothing loses to any tree, which is how the selection is made to keep the trees.
_ALPHAS = {"ridge": "1", "trees": "1e9"}
_LEAVES = {"ridge": "2", "trees": str(TREE_LEAVES)}
_ITERATIONS = {"ridge": "1", "trees": str(TREE_ITERATIONS)}
_BODIES = 50


@dataclass(frozen=True)
class Models:
    """Both forms of one family's model, and requests for it."""

    family: str
    artifact_base: Path
    pickle: Path
    records: Sequence[bytes]

    def bodies(self, rows: int, folder: Path) -> list[Path]:
        """Files with different requests of so many rows each."""
        files = []
        for number in range(_BODIES):
            path = folder / f"{self.family}-{rows}-{number}.csv"
            chosen = (self.records[(number * rows + index) % len(self.records)] for index in range(rows))
            path.write_bytes(b"".join(chosen))
            files.append(path)
        return files


def make_models(family: str, folder: Path, *, ours: Path, peer: Path) -> Models:
    """Train, export and unpack our model with the runtime's Python `ours`, and fit the peer's with `peer`."""
    base = folder / family
    _run_steps(family, base, python=ours)
    with tarfile.open(base / "processing" / "model" / "model.tar.gz") as archive:
        archive.extractall(base / "served" / "model", filter="data")
    source = base / "development.csv"
    _join([base / "processing" / name / f"{name}.csv" for name in ("train", "validation")], source)
    pickled = base / "peer.pickle"
    command = [str(peer), "-m", "benchmarks.serving.peer_model", family, str(source), str(pickled)]
    measure(command, environment=environment_of(PYTHONPATH=str(ROOT)))
    records = _records(base / "processing" / "holdout" / "holdout.csv")
    return Models(family=family, artifact_base=base / "served", pickle=pickled, records=records)


def _run_steps(family: str, base: Path, *, python: Path) -> None:
    environment = environment_of(PYTHONPATH=str(ROOT), ML_BASE_DIR=str(base), DATA_VERSION="0" * 16)
    processing = base / "processing"

    def step(name: str) -> None:
        measure([str(python), "-m", f"{_STEPS}.{name}"], environment=environment)

    batches = ["-m", "sagemaker_pipelines.car_prices.batches", "write", "--years", _YEARS, "--single-file"]
    measure([str(python), *batches, "--to", str(processing / "snapshot")], environment=environment)
    step("validate_data")
    step("preprocess")
    for channel in ("train", "validation", "features"):
        shutil.copytree(processing / channel, base / "input" / "data" / channel)
    configuration = base / "input" / "config" / "hyperparameters.json"
    configuration.parent.mkdir(parents=True)
    values = {
        "ridge_alphas": _ALPHAS[family],
        "tree_leaves": _LEAVES[family],
        "tree_iterations": _ITERATIONS[family],
    }
    configuration.write_text(json.dumps(values))
    step("train")
    archive = processing / "trained" / "model.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(base / "model", arcname=".")
    step("export")


def _join(sources: Sequence[Path], target: Path) -> None:
    header, *rows = sources[0].read_text().splitlines(keepends=True)
    for source in sources[1:]:
        rows += source.read_text().splitlines(keepends=True)[1:]
    target.write_text("".join([header, *rows]))


def _records(holdout: Path) -> list[bytes]:
    """Lines as a caller sends them: without header and label, as every model takes them."""
    with holdout.open(newline="") as file:
        header, *rows = csv.reader(file)
    label = header.index(LABEL)
    return [_line([*row[:label], *row[label + 1 :]]) for row in rows]


def _line(values: Sequence[str]) -> bytes:
    quoted = (f'"{value}"' if "," in value else value for value in values)
    return (",".join(quoted) + "\n").encode()
