"""The loader of the Data Science SDK: it works beside SageMaker SDK v3 and leaves everything else as it was."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from workflows import sdk
from workflows.errors import WorkflowsError

ROOT = Path(__file__).resolve().parents[2]
LOOK_AROUND = """
import json, logging, sys
logging.getLogger().setLevel(logging.INFO)
from workflows.sdk import load
loaded = load()
print(json.dumps({
    "level": logging.getLogger().level,
    "left": [name for name in sys.modules if name == "pkg_resources" or name.split(".")[0] == "sagemaker"],
    "same": load() == loaded,
    "state": loaded.steps.Pass("P").to_dict(),
}))
import sagemaker
assert "stepfunctions" not in (getattr(sagemaker, "__file__", None) or "")
"""


def test_the_sdk_is_loaded_without_traces() -> None:
    """In a new process: root logger and sagemaker untouched, no stand-in left; SageMaker's v3 imports afterwards."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOOK_AROUND], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["level"], found["left"], found["same"]) == (20, [], True)
    assert found["state"] == {"Type": "Pass", "End": True}


def test_what_needs_sagemaker_2_says_so() -> None:
    """The SDK's SageMaker steps cannot work here: their use is refused with a way that works."""
    with pytest.raises(WorkflowsError, match=r"TrainingStep needs version 2.*aws-sdk:sagemaker"):
        sdk.load().steps.TrainingStep("Train")


def test_without_the_sdk_the_command_to_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional: whoever lacks it is told how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(WorkflowsError, match=r"pip install -r requirements-workflows\.txt"):
        sdk.load()
    assert (ROOT / "requirements-workflows.txt").exists()
