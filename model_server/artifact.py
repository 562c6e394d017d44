"""A model artifact as SageMaker unpacks it into /opt/ml/model: verified, loaded, and shown to predict what it should.

Whatever is wrong with it is found here, before the server listens: a container that cannot predict must not start.
Never opens the pickle that lies beside the served form; it is only hashed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_server.errors import ArtifactError, ScoringError
from model_server.scoring import FEATURE_SPEC_FILE, MODEL_FILE, FloatMatrix, FloatVector, Scorer, scorer_from_files

MANIFEST_FILE = "manifest.json"
GOLDEN_FILE = "golden_records.json"
_REQUIRED_FILES = (MODEL_FILE, FEATURE_SPEC_FILE, GOLDEN_FILE)
_REMEDY = "the artifact was not written by the Export step, or was changed since; register the exported one again"


@dataclass(frozen=True)
class Golden:
    """Encoded records with the logarithm of the price that the trained model predicts for each of them."""

    matrix: FloatMatrix
    expected: FloatVector
    tolerance: float

    def first(self) -> "Golden":
        """The first record alone: enough to exercise the model, and as cheap as a prediction can be."""
        return Golden(self.matrix[:1], self.expected[:1], self.tolerance)


@dataclass(frozen=True)
class ServedModel:
    """A model that is ready, what it is, and how to see that it still works."""

    scorer: Scorer
    golden: Golden
    origin: Mapping[str, Any]

    def check(self, golden: Golden) -> None:
        """Predict golden records; raises ArtifactError if the result is not the expected one."""
        difference = np.abs(self.scorer.predict_log(golden.matrix) - golden.expected)
        if not difference.max() <= golden.tolerance:
            number = int(np.argmax(np.where(np.isnan(difference), np.inf, difference))) + 1
            raise ArtifactError(
                f"the model does not predict golden record {number}: it differs by {difference[number - 1]:.3g} in log "
                f"space, allowed is {golden.tolerance:g}; {_REMEDY}"
            )


def load_served_model(folder: Path) -> ServedModel:
    """Verify digests, load the model and predict all golden records; raises ArtifactError or ScoringError."""
    manifest, manifest_sha256 = _read_manifest(folder)
    _verify_files(folder, manifest["files"])
    scorer = scorer_from_files({name: (folder / name).read_bytes() for name in (MODEL_FILE, FEATURE_SPEC_FILE)})
    golden = _read_golden(folder / GOLDEN_FILE, scorer)
    origin = {name: manifest.get(name) for name in ("project", "data_version", "commit")}
    model = ServedModel(scorer, golden, {**origin, "manifest_sha256": manifest_sha256})
    try:
        model.check(golden)
    except ScoringError:
        raise
    except Exception as error:  # noqa: BLE001  ONNX Runtime has no public base class for its errors
        raise ArtifactError(f"{MODEL_FILE} cannot predict ({error}); {_REMEDY}") from None
    return model


def _read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / MANIFEST_FILE
    try:
        content = path.read_bytes()
        manifest = json.loads(content)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing; {_REMEDY}") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read ({error}); {_REMEDY}") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict):
        raise ArtifactError(f"{path} does not list the artifact's files; {_REMEDY}")
    unlisted = [name for name in _REQUIRED_FILES if name not in files]
    if unlisted:
        raise ArtifactError(f"{path} does not list {', '.join(unlisted)}; {_REMEDY}")
    return manifest, hashlib.sha256(content).hexdigest()


def _verify_files(folder: Path, digests: Mapping[str, Any]) -> None:
    for name, expected in sorted(digests.items()):
        path = folder / name
        if path.parent != folder:
            raise ArtifactError(f"{MANIFEST_FILE} lists '{name}', which is not a file of the artifact")
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read ({error.strerror}); {_REMEDY}") from None
        if found != expected:
            raise ArtifactError(f"{path} has the SHA-256 {found}, {MANIFEST_FILE} says {expected}; {_REMEDY}")


def _read_golden(path: Path, scorer: Scorer) -> Golden:
    try:
        content = json.loads(path.read_bytes())
        matrix = scorer.encoder.encode([record["values"] for record in content["records"]])
        expected = np.log(np.array([record["prediction"] for record in content["records"]], dtype=np.float64))
        tolerance = float(content["tolerance_log"])
    except (ScoringError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is malformed ({error}); {_REMEDY}") from None
    if not len(matrix):
        raise ArtifactError(f"{path} holds no records; {_REMEDY}")
    return Golden(matrix, expected, tolerance)
