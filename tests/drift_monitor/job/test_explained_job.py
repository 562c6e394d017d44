"""Attributions from the model artifact to the report, in the environment that has ONNX: the runtime image's."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_a_model_that_looks_at_other_inputs_than_in_training(tmp_path: Path) -> None:
    """Baseline and job with a served model: an ordinary window is silent, one in which power says nothing is not."""
    python = Path(os.environ.get("RUNTIME_PYTHON") or ROOT / ".runtime" / "current" / "bin" / "python")
    if not python.is_file():
        pytest.fail(f"the runtime environment {python} is missing: `make setup` builds it, or set RUNTIME_PYTHON")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [str(python), "-m", "tests.drift_monitor.job.explained_cars", str(tmp_path)],
        cwd=ROOT,
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])

    usual, other = found["usual"]["attribution"], found["same power"]["attribution"]
    assert usual["method"] == "path-dependent TreeSHAP"
    assert (usual["verdict"], usual["ndcg"], usual["rows"]) == ("ok", 1.0, 400)
    assert other["verdict"] == "violation"
    assert other["ndcg_high"] < 0.9
    assert found["importance"]["power"] > 0.7
    assert found["usual"]["quality"] == "ok"
