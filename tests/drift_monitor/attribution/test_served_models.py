"""Explanations of models in ONNX form, in the environment that has ONNX: the runtime image's."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_every_family_that_is_served_is_explained_and_the_rest_is_refused() -> None:
    """Boosted trees, a forest and ridge over one-hot codes: contributions add up to what ONNX Runtime predicts."""
    python = Path(os.environ.get("RUNTIME_PYTHON") or ROOT / ".runtime" / "current" / "bin" / "python")
    if not python.is_file():
        pytest.fail(f"the runtime environment {python} is missing: `make setup` builds it, or set RUNTIME_PYTHON")
    result = subprocess.run(
        [str(python), "-m", "tests.drift_monitor.attribution.served_models"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)

    refusals = found.pop("refusals")
    assert {name: model["method"] for name, model in found.items()} == {
        "boosted": "path-dependent TreeSHAP",
        "forest": "path-dependent TreeSHAP",
        "ridge": "additive effects",
    }
    assert max(model["distance"] for model in found.values()) < 1e-4
    assert max(model["expected"] for model in found.values()) < 1e-4
    assert "TreeEnsembleClassifier" in refusals[0]
    assert "Scaler, TreeEnsembleRegressor" in refusals[1]
