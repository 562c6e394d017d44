"""What people see of an execution, with a SageMaker client that plays a prepared sequence."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from sagemaker_pipelines.errors import WatchError
from sagemaker_pipelines.watch import describe_step, follow, list_steps, main, newest_execution, start_execution
from sagemaker_pipelines.watch_evidence import evaluation_lines, failing_log_lines, waiting_package_lines

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVALUATION = {
    "regression_metrics": {"mae": {"value": 3367.26, "interval_95_low": 2772.55, "interval_95_high": 4092.29}},
    "decision": {"accepted": 1, "summary": "every limit is kept"},
}
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/car-prices-dev/1"


def _step(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "StartTime": START, **more}


class PlayedClient:
    """Answers each look at the execution with the next of its moments. Mutable: it counts the looks."""

    def __init__(self, moments: list[tuple[str, list[dict[str, Any]]]]) -> None:
        self.moments = moments
        self.look = -1
        self.requests: list[dict[str, Any]] = []

    def describe_pipeline_execution(self, **_request: Any) -> dict[str, Any]:
        self.look += 1
        return {"PipelineExecutionStatus": self.moments[self.look][0]}

    def list_pipeline_execution_steps(self, **request: Any) -> dict[str, Any]:
        steps = self.moments[max(self.look, 0)][1]
        # Two pages, as AWS answers a long list.
        half = len(steps) // 2
        if "NextToken" in request or half == 0:
            return {"PipelineExecutionSteps": steps[half:]}
        return {"PipelineExecutionSteps": steps[:half], "NextToken": "more"}

    def list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {"PipelineExecutionSummaries": []}

    def start_pipeline_execution(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {"PipelineExecutionArn": "arn:execution"}

    def describe_training_job(self, **_request: Any) -> dict[str, Any]:
        return {"TrainingJobName": "pipelines-x-Train-Y"}

    def describe_processing_job(self, **_request: Any) -> dict[str, Any]:
        output = {"OutputName": "evaluation", "S3Output": {"S3Uri": "s3://artifacts/evaluation"}}
        return {"ProcessingOutputConfig": {"Outputs": [output]}}

    def describe_log_streams(self, **request: Any) -> dict[str, Any]:
        names = ["pipelines-x-Train-Y/algo-1"]
        return {"logStreams": [{"logStreamName": n} for n in names if n.startswith(request["logStreamNamePrefix"])]}

    def get_log_events(self, **_request: Any) -> dict[str, Any]:
        return {"events": [{"message": "Train: no rows\n"}]}

    def get_object(self, **request: Any) -> dict[str, Any]:
        assert request == {"Bucket": "artifacts", "Key": "evaluation/evaluation.json"}
        return {"Body": BytesIO(json.dumps(EVALUATION).encode())}

    def describe_model_package(self, **_request: Any) -> dict[str, Any]:
        return {"ModelApprovalStatus": "PendingManualApproval"}


def test_each_change_of_a_step_is_one_line() -> None:
    """A step that goes on unchanged is not repeated."""
    end = START + timedelta(seconds=12)
    client = PlayedClient(
        [
            ("Executing", [_step("ValidateData", "Executing")]),
            ("Executing", [_step("ValidateData", "Executing")]),
            ("Executing", [_step("ValidateData", "Succeeded", EndTime=end), _step("Train", "Executing")]),
            ("Succeeded", [_step("ValidateData", "Succeeded", EndTime=end), _step("Train", "Succeeded", EndTime=end)]),
        ]
    )
    lines: list[str] = []

    follow(client, "arn:execution", show=lines.append, poll_seconds=0)

    assert [line.split()[:2] for line in lines] == [
        ["ValidateData", "Executing"],
        ["ValidateData", "Succeeded"],
        ["Train", "Executing"],
        ["Train", "Succeeded"],
    ]


def test_all_pages_of_the_steps_are_read() -> None:
    """A long pipeline is shown to its end."""
    client = PlayedClient([("Executing", [_step(name, "Executing") for name in "ABCD"])])

    assert [step["StepName"] for step in list_steps(client, "arn:execution")] == ["A", "B", "C", "D"]


def test_a_line_has_duration_cache_hit_and_reason() -> None:
    """Everything that explains a status, in one line."""
    cached = _step("Train", "Succeeded", EndTime=START + timedelta(seconds=2), CacheHitResult={"SourceArn": "arn:x"})

    assert describe_step(cached).split() == ["Train", "Succeeded", "2.0", "s", "from", "the", "cache"]
    assert describe_step(_step("Train", "Failed", FailureReason="no rows")).endswith("no rows")


def test_a_pipeline_without_executions_is_said_so() -> None:
    """The newest is asked for explicitly: the API's own order is not to be relied on."""
    client = PlayedClient([])
    with pytest.raises(WatchError, match="car-prices-dev has no execution yet; start one with --start"):
        newest_execution(client, "car-prices-dev")
    assert client.requests[0]["SortOrder"] == "Descending"


def test_parameters_are_passed_to_a_started_execution() -> None:
    """--param DataVersion=abc reaches SageMaker."""
    client = PlayedClient([])

    assert start_execution(client, "car-prices-dev", {"DataVersion": "abc"}) == "arn:execution"
    assert client.requests[0]["PipelineParameters"] == [{"Name": "DataVersion", "Value": "abc"}]


def test_the_waiting_package_is_shown_with_the_command_that_approves_it() -> None:
    """Watching approves nothing, and says how to."""
    steps = [_step("RegisterModel", "Succeeded", Metadata={"RegisterModel": {"Arn": PACKAGE}})]

    lines = waiting_package_lines(lambda _service: PlayedClient([]), steps)

    assert lines[0] == f"model package {PACKAGE}: PendingManualApproval"
    assert f"--model-package-arn {PACKAGE} --model-approval-status Approved" in lines[1]


def test_a_step_without_a_job_has_no_log() -> None:
    """A Fail step ends an execution without a job."""
    assert failing_log_lines(lambda _service: PlayedClient([]), _step("RejectModel", "Failed")) == []


def test_the_end_of_a_failed_job_s_log_is_shown() -> None:
    """The stream has the job's name in its own case, the ARN has it in lower case."""
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/pipelines-x-train-y"
    step = _step("Train", "Failed", Metadata={"TrainingJob": {"Arn": arn}})

    lines = failing_log_lines(lambda _service: PlayedClient([]), step)

    assert lines == ["log of Train, job pipelines-x-Train-Y:", "  Train: no rows"]


def test_metrics_and_decision_of_the_evaluation_are_shown() -> None:
    """Found by the output that holds them, whatever the step is called."""
    arn = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-x-evaluate-y"
    step = _step("Evaluate", "Succeeded", Metadata={"ProcessingJob": {"Arn": arn}})

    lines = evaluation_lines(lambda _service: PlayedClient([]), [step])

    assert lines[1].split() == ["mae", "3367.3", "95", "%", "interval", "2772.6", "to", "4092.3"]
    assert lines[-1] == "  accepted: every limit is kept"


@pytest.mark.parametrize("arguments", [["--param", "A=1"], ["--start", "--execution", "arn:x"]])
def test_options_that_exclude_each_other_are_refused(arguments: list[str]) -> None:
    """A parameter of an execution that already runs would be ignored."""
    assert main(["--pipeline", "car-prices-dev", *arguments]) == 1


def test_a_failing_call_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No region, no credentials or no network: an error message, not a stack trace."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    assert main(["--pipeline", "car-prices-dev"]) == 1
    assert capsys.readouterr().err.startswith("error: You must specify a region")
