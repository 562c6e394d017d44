"""Export: turn the trained model into the artifact that is served, and refuse to if the two predict differently.

Reads  processing/trained/model.tar.gz  what the training job left
       processing/holdout/holdout.csv   the records for the parity check and the golden records
Writes processing/model/model.tar.gz    model.pickle, model.onnx, feature_spec.json, golden_records.json,
                                        candidates.json, manifest.json
       processing/export/export.json    digest and parity, for the pipeline's later steps

The archive holds no clock, no execution and no machine: the same snapshot, commit, parameters and image give the
same bytes, so its SHA-256 says whether two models are one. The pickle is loaded here, in the execution that wrote
it, and never again: everything later scores the ONNX form.
"""

import importlib.metadata
import json
import os
import pickle
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model_server.scoring import (
    FEATURE_SPEC_FILE,
    MODEL_FILE,
    Encoder,
    FloatVector,
    Scorer,
    parse_feature_spec,
)
from sagemaker_pipelines.artifacts import MODEL_ARCHIVE, pack, sha256_hex, unpack
from sagemaker_pipelines.car_prices.settings import PROJECT
from sagemaker_pipelines.car_prices.steps.train import CANDIDATES_FILE, MODEL_PICKLE
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import JobFolders, Parameters, log, run_job, write_json
from sagemaker_pipelines.onnx_export import PARITY_TOLERANCE, check_parity, encode_and_export
from sagemaker_pipelines.tables import read_table

GOLDEN_FILE = "golden_records.json"
MANIFEST_FILE = "manifest.json"
GOLDEN_RECORDS = 20
LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")


@dataclass(frozen=True)
class Origin:
    """Where a model comes from: the data version and the commit that made it."""

    data_version: str
    commit: str


def export_model(*, trained: Path, holdout: Path, origin: Origin) -> tuple[bytes, dict[str, Any]]:
    """The model archive and the content of export.json; raises StepError if parity fails."""
    files = unpack(trained)
    missing = {MODEL_PICKLE, FEATURE_SPEC_FILE, CANDIDATES_FILE} - files.keys()
    if missing:
        raise StepError(f"{trained} lacks {', '.join(sorted(missing))}; was it written by the Train step?")
    spec = parse_feature_spec(json.loads(files[FEATURE_SPEC_FILE]))
    records = read_table(holdout).select(spec.names).rows
    with threadpool_limits(limits=1):
        onnx_model, expected, largest = _convert(files, records)
    candidates = json.loads(files[CANDIDATES_FILE])
    contents = {
        MODEL_PICKLE: files[MODEL_PICKLE],
        MODEL_FILE: onnx_model,
        FEATURE_SPEC_FILE: files[FEATURE_SPEC_FILE],
        CANDIDATES_FILE: files[CANDIDATES_FILE],
        GOLDEN_FILE: _json_bytes(_golden_records(records, expected)),
    }
    parity = {"largest_log_difference": largest, "tolerance": PARITY_TOLERANCE, "records": len(records)}
    contents[MANIFEST_FILE] = _json_bytes(_manifest(contents, candidates, origin=origin, parity=parity))
    archive = pack(contents)
    report = {"artifact_sha256": sha256_hex(archive), "winner": candidates["winner"], "parity": parity}
    return archive, report


def _convert(files: Mapping[str, bytes], records: list[list[str]]) -> tuple[bytes, FloatVector, float]:
    """ONNX bytes, the trained form's log predictions, and the largest difference between the two forms."""
    spec = parse_feature_spec(json.loads(files[FEATURE_SPEC_FILE]))
    try:
        model = pickle.loads(files[MODEL_PICKLE])  # noqa: S301  written by this execution's training job
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError) as error:
        raise StepError(f"{MODEL_PICKLE} of the training job is damaged ({error}); run Train again") from None
    matrix = Encoder(spec).encode(records)
    onnx_model, expected = encode_and_export(model, matrix)
    served = Scorer(spec, onnx_model).predict_log(matrix)
    return onnx_model, expected, check_parity(trained=expected, served=served, rows=records)


def _golden_records(records: list[list[str]], expected: FloatVector) -> dict[str, Any]:
    """Records spread evenly over the holdout with the price that the trained form predicts."""
    count = min(GOLDEN_RECORDS, len(records))
    chosen = np.linspace(0, len(records) - 1, count).astype(int).tolist()
    return {
        "tolerance_log": PARITY_TOLERANCE,
        "records": [{"values": records[i], "prediction": float(np.exp(expected[i]))} for i in chosen],
    }


def _manifest(
    contents: Mapping[str, bytes], candidates: Mapping[str, Any], *, origin: Origin, parity: Mapping[str, Any]
) -> dict[str, Any]:
    winner = next(item for item in candidates["candidates"] if item["name"] == candidates["winner"])
    return {
        "format": 1,
        "project": PROJECT,
        "data_version": origin.data_version,
        "commit": origin.commit,
        "model": {"name": winner["name"], "family": winner["family"]},
        "parameters": winner["parameters"],
        "metrics": {"validation": winner["validation"], "parity": parity},
        "libraries": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        "files": {name: sha256_hex(content) for name, content in contents.items()},
    }


def _json_bytes(value: object) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _body(folders: JobFolders) -> None:
    parameters = Parameters(os.environ)
    archive, report = export_model(
        trained=folders.processing("trained") / MODEL_ARCHIVE,
        holdout=folders.processing("holdout") / "holdout.csv",
        origin=Origin(parameters.text("DATA_VERSION"), parameters.text("COMMIT", "unrecorded")),
    )
    output = folders.processing("model") / MODEL_ARCHIVE
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(archive)
    write_json(folders.processing("export") / "export.json", report)
    log(f"artifact sha256 {report['artifact_sha256']}, {len(archive)} bytes")
    log(f"parity over {report['parity']['records']} records: {report['parity']['largest_log_difference']:.2g}")


def main() -> int:
    """Entry point of the job."""
    return run_job("Export", _body)


if __name__ == "__main__":
    sys.exit(main())
