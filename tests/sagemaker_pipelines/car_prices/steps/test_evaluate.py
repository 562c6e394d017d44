"""Evaluate as the runtime image runs it: first model, champion, and artifacts that cannot be used."""

import json
import re
import shutil

import pytest

from sagemaker_pipelines.artifacts import pack, unpack
from tests.sagemaker_pipelines.jobs import HYPERPARAMETERS, Job

CHAMPION = "arn:aws:sagemaker:us-east-1:123456789012:model-package/car-prices-dev/3"


def _crown(job: Job, archive: bytes) -> None:
    path = job.processing("champion") / "model.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive)


def test_the_first_model_is_judged_without_a_champion(copied_job: Job) -> None:
    """Metrics have the form of SageMaker's ModelMetrics, the decision is one number."""
    shutil.copytree(copied_job.processing("no-champion"), copied_job.processing("champion"))
    copied_job.succeed("evaluate")

    evaluation = copied_job.read("evaluation/evaluation.json")
    assert evaluation["decision"] == {"accepted": 1, "reasons": [], "summary": "every limit is kept"}
    assert evaluation["champion_comparison"] is None
    assert evaluation["dataset"] == {"item_count": 60, "model_years": ["2005"]}
    for name in ("mae", "rmse", "mape", "r2", "bias"):
        assert {"value", "standard_deviation"} <= evaluation["regression_metrics"][name].keys()


def test_the_champion_is_compared_on_the_same_holdout(copied_job: Job) -> None:
    """A worse champion (strangled ridge) loses, with the difference and its interval on record."""
    good = copied_job.artifact.read_bytes()
    copied_job.train({**HYPERPARAMETERS, "ridge_alphas": "3000", "tree_leaves": "2", "tree_iterations": "1"})
    copied_job.export(COMMIT="older")
    _crown(copied_job, copied_job.artifact.read_bytes())
    copied_job.artifact.write_bytes(good)

    copied_job.succeed("evaluate", CHAMPION_MODEL_PACKAGE_ARN=CHAMPION)

    evaluation = copied_job.read("evaluation/evaluation.json")
    assert evaluation["decision"]["accepted"] == 1
    assert evaluation["champion"]["commit"] == "older"
    assert evaluation["champion_comparison"]["mae_difference"]["interval_95_high"] < 0


def test_the_same_artifact_is_not_offered_again(copied_job: Job) -> None:
    """Retraining on the same data gives the champion itself; there is nothing to approve."""
    _crown(copied_job, copied_job.artifact.read_bytes())

    copied_job.succeed("evaluate", CHAMPION_MODEL_PACKAGE_ARN=CHAMPION)

    decision = copied_job.read("evaluation/evaluation.json")["decision"]
    assert decision["accepted"] == 0
    assert "the candidate is the champion, byte for byte" in decision["summary"]


def test_a_broken_limit_rejects_and_still_ends_well(copied_job: Job) -> None:
    """A rejection is a result, not a failure of the step: the condition step reads it."""
    copied_job.succeed("evaluate", MAXIMUM_MAPE="0.1")

    decision = copied_job.read("evaluation/evaluation.json")["decision"]
    assert decision["accepted"] == 0
    assert "is above the limit of 0.1 %" in decision["summary"]


def test_a_missing_champion_artifact_is_named(copied_job: Job) -> None:
    """Someone deleted the object of the approved package: the reason says which package."""
    result = copied_job.run("evaluate", CHAMPION_MODEL_PACKAGE_ARN=CHAMPION)

    assert result.returncode == 1
    assert copied_job.failure.startswith(f"Evaluate: champion {CHAMPION}: the model artifact")
    assert "is missing; check that its S3 object still exists" in copied_job.failure
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("archive", "problem"),
    [
        (b"not an archive", "is damaged"),
        (pack({"manifest.json": b"{}"}), "lacks feature_spec.json, model.onnx"),
    ],
)
def test_a_champion_that_is_no_model_is_named(copied_job: Job, archive: bytes, problem: str) -> None:
    """A damaged or foreign archive ends the step with the champion's ARN."""
    _crown(copied_job, archive)

    assert copied_job.run("evaluate", CHAMPION_MODEL_PACKAGE_ARN=CHAMPION).returncode == 1
    assert CHAMPION in copied_job.failure
    assert problem in copied_job.failure


def test_a_champion_with_a_damaged_onnx_model_is_named(copied_job: Job) -> None:
    """ONNX Runtime's own error does not reach the user as a stack trace."""
    files = unpack(copied_job.artifact)
    _crown(copied_job, pack({**files, "model.onnx": b"garbage"}))

    result = copied_job.run("evaluate", CHAMPION_MODEL_PACKAGE_ARN=CHAMPION)

    assert result.returncode == 1
    assert "model.onnx cannot be loaded" in copied_job.failure
    assert "Traceback" not in result.stderr


def test_the_report_stands_on_its_own(copied_job: Job) -> None:
    """One file with plots, without a script and without anything to fetch."""
    copied_job.succeed("evaluate")

    report = (copied_job.processing("evaluation") / "report.html").read_text()
    assert report.count("<svg") >= 2
    assert report.count("<circle") == 60
    assert not re.search(r"<script|<link|src=|href=|https?://", report)


def test_what_the_model_says_of_itself_is_escaped_in_the_report(copied_job: Job) -> None:
    """A commit or make with markup in it stays text."""
    copied_job.export(COMMIT="<img src=x onerror=alert(1)>")
    copied_job.succeed("evaluate")

    report = (copied_job.processing("evaluation") / "report.html").read_text()
    assert "<img" not in report
    assert "&lt;img" in report


def test_served_and_trained_form_agree_on_the_golden_records(copied_job: Job) -> None:
    """The shared scorer gives the prices that the artifact promises."""
    code = (
        "import json, sys; from pathlib import Path; from sagemaker_pipelines.artifacts import unpack;"
        "from model_server.scoring import scorer_from_files; files = unpack(Path(sys.argv[1]));"
        "rows = [r['values'] for r in json.loads(files['golden_records.json'])['records']];"
        "print(json.dumps(scorer_from_files(files).predict(rows).tolist()))"
    )
    result = copied_job.interpreter.python_command(["-c", code, str(copied_job.artifact)])
    golden = json.loads(unpack(copied_job.artifact)["golden_records.json"])["records"]

    assert json.loads(result.stdout) == pytest.approx([record["prediction"] for record in golden], rel=1e-4)
