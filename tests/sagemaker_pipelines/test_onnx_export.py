"""The ONNX form predicts what the model predicts, whatever form the model has; that of a linear one is short."""

import json

import pytest

from tests.sagemaker_pipelines.jobs import Interpreter

SHORT = "as trained"
# What an export may be off by, as `sagemaker_pipelines.onnx_export` says; it cannot be imported here.
PARITY_TOLERANCE = 1e-4
# The predictions are near 10, where float32 has steps of this size.
STEP = 1e-6


@pytest.fixture(scope="module")
def reports(interpreter: Interpreter) -> dict[str, dict[str, float]]:
    """What `onnx_forms.py` found out about each model."""
    result = interpreter.python_command(["-W", "ignore", "-m", "tests.sagemaker_pipelines.onnx_forms"])
    assert result.returncode == 0, result.stderr
    found: dict[str, dict[str, float]] = json.loads(result.stdout)
    return found


def test_every_form_predicts_the_same(reports: dict[str, dict[str, float]]) -> None:
    """Also for a category that training did not see; and the export leaves the model as it was."""
    assert {name for name, report in reports.items() if report["difference"] > PARITY_TOLERANCE} == set()
    assert {name for name, report in reports.items() if not report["again"]} == set()


def test_only_a_model_that_is_a_sum_of_terms_is_exported_as_one(reports: dict[str, dict[str, float]]) -> None:
    """Eight operators; anything about it that is different is left to the general converter."""
    assert [name for name, report in reports.items() if report["operators"] == 8] == [SHORT]


def test_the_short_form_scores_a_record_alone_as_among_others(reports: dict[str, dict[str, float]]) -> None:
    """The server scores requests together, and no caller should see with whom."""
    assert reports[SHORT]["alone"] <= STEP
    assert reports[SHORT]["difference"] <= 5 * STEP
