"""The served model of a model.tar.gz: what contributions are explained of. Must not open the pickle beside it.

An archive is data of unknown origin: two members are read, into memory, up to a size.
"""

import tarfile
from dataclasses import dataclass
from pathlib import Path

from drift_monitor.attribution.trees import FloatMatrix
from drift_monitor.errors import ReaderError
from drift_monitor.quality.resampling import Vector
from model_server.errors import ScoringError
from model_server.scoring import FEATURE_SPEC_FILE, MODEL_FILE, FeatureSpec, Scorer, scorer_from_files

_MAXIMUM_BYTES = 1 << 30


@dataclass(frozen=True)
class ServedModel:
    """A model in ONNX form that can score."""

    onnx: bytes
    scorer: Scorer

    @property
    def spec(self) -> FeatureSpec:
        """What it reads."""
        return self.scorer.encoder.spec

    def score(self, matrix: FloatMatrix) -> Vector:
        """Raw predictions (logarithms of the label) of an encoded matrix; shape (rows,)."""
        return self.scorer.predict_log(matrix)


def read_served_model(archive: Path) -> ServedModel:
    """The model of an archive; raises ReaderError if it is missing, damaged, or lacks the served form."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for entry in tar:
                name = entry.name.removeprefix("./")
                content = tar.extractfile(entry) if name in (MODEL_FILE, FEATURE_SPEC_FILE) and entry.isfile() else None
                if content is not None and entry.size <= _MAXIMUM_BYTES:
                    files[name] = content.read()
        return ServedModel(files.get(MODEL_FILE, b""), scorer_from_files(files))
    except (tarfile.TarError, EOFError, OSError, ScoringError) as error:
        raise ReaderError(f"the model artifact {archive} cannot be used ({error})") from None
