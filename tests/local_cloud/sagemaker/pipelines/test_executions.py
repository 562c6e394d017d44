"""Pipelines through the API: their steps call the engine itself, their jobs are real processes."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.sagemaker.pipelines.journal import Journal
from tests.local_cloud.sagemaker.fakes import IMAGE, FakeCloud
from tests.local_cloud.sagemaker.jobs.requests import PROLOGUE
from tests.local_cloud.sagemaker.pipelines.definitions import (
    condition,
    create,
    definition,
    fail,
    finish,
    get,
    join,
    output_of,
    processing,
    start,
    steps,
)

WRITE = PROLOGUE + "(base/'processing/out/m.json').write_text(json.dumps({'rmse': 1.5}))"
HANG = PROLOGUE + "print('up', flush=True)\ntime.sleep(60)"
FILE = [{"PropertyFileName": "Metrics", "OutputName": "out", "FilePath": "m.json"}]
RMSE = {"Std:JsonGet": {"PropertyFile": get("Steps.Write.PropertyFiles.Metrics"), "Path": "rmse"}}
LIMIT = [{"Name": "Limit", "Type": "Float", "DefaultValue": 2.0}]
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"
EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"


def gate(cloud: FakeCloud, **members: Any) -> str:
    """Write -> Check(rmse <= Limit) ? Register : Reject."""
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "group",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": join(output_of("Write"), "m.json")}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": {"limit": join(get("Parameters.Limit"))},
        },
    }
    check = {"Type": "LessThanOrEqualTo", "LeftValue": RMSE, "RightValue": get("Parameters.Limit")}
    return definition(
        processing("Write", cloud.program(WRITE), PropertyFiles=FILE, **members),
        condition("Check", check, then=[register], otherwise=[fail("Reject", join("rmse is", RMSE, on=" "))]),
        parameters=LIMIT,
    )


def test_a_passing_gate_registers_a_model(cloud: FakeCloud) -> None:
    """A run through job, property file, condition and registration: each step shows what it made."""
    cloud.client().create_model_package_group(ModelPackageGroupName="group")
    create(cloud, gate(cloud))

    arn = start(cloud)
    described = finish(cloud, arn)
    listed = steps(cloud, arn)

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert list(listed) == ["Write", "Check", "Register"]
    assert listed["Check"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    package_arn = listed["Register"]["Metadata"]["RegisterModel"]["Arn"]
    package = cloud.client().describe_model_package(ModelPackageName=package_arn)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"] == {"limit": "2.0"}
    assert package["MetadataProperties"]["GeneratedBy"] == arn


def test_a_failing_gate_fails_with_its_message(cloud: FakeCloud) -> None:
    """With a stricter limit the Fail step runs, and its resolved message is the execution's reason."""
    create(cloud, gate(cloud))

    arn = start(cloud, PipelineParameters=[{"Name": "Limit", "Value": "1.0"}])
    described = finish(cloud, arn)

    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed: Reject: rmse is 1.5"
    assert steps(cloud, arn)["Reject"]["Metadata"] == {"Fail": {"ErrorMessage": "rmse is 1.5"}}


def test_job_names_and_metadata(cloud: FakeCloud) -> None:
    """A job step's job is called pipelines-<execution>-<step>-<suffix>, at most 63 characters, and is linked."""
    name = "A-step_with-a-very-long-name-that-cannot-fit-into-a-job-name"
    create(cloud, definition(processing(name, cloud.program("pass"))))

    arn = start(cloud)
    finish(cloud, arn)

    job_arn = steps(cloud, arn)[name]["Metadata"]["ProcessingJob"]["Arn"]
    (job,) = cloud.client().list_processing_jobs()["ProcessingJobSummaries"]
    assert job["ProcessingJobArn"] == job_arn
    assert job["ProcessingJobName"].startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-A-step-with-a-very-long-")
    assert len(job["ProcessingJobName"]) <= 63


def test_a_cache_hit_takes_over_earlier_outputs(cloud: FakeCloud) -> None:
    """A second execution runs no job: the step refers to the first execution, and later steps read its outputs."""
    create(cloud, gate(cloud, CacheConfig={"Enabled": True, "ExpireAfter": "P1D"}))
    strict = [{"Name": "Limit", "Value": "1.0"}]

    first = start(cloud, PipelineParameters=strict)
    finish(cloud, first)
    second = start(cloud, token="u" * 32, PipelineParameters=strict)
    finish(cloud, second)

    written = steps(cloud, second)["Write"]
    assert written["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert written["Metadata"] == steps(cloud, first)["Write"]["Metadata"]
    assert steps(cloud, second)["Reject"]["Metadata"]["Fail"]["ErrorMessage"] == "rmse is 1.5"
    assert len(cloud.client().list_processing_jobs()["ProcessingJobSummaries"]) == 1
    (event,) = [item for item in cloud.events(STEP_EVENT) if "cacheHitResult" in item]
    assert event["cacheHitResult"] == {"sourcePipelineExecutionArn": first}


def test_a_failed_job_fails_its_step_with_its_reason(cloud: FakeCloud) -> None:
    """The job's FailureReason is the step's, and the execution's reason names the step."""
    create(cloud, definition(processing("Bad", cloud.program("raise SystemExit('row 7')"))))

    arn = start(cloud)
    described = finish(cloud, arn)

    assert steps(cloud, arn)["Bad"]["FailureReason"] == "AlgorithmError: row 7, exit code: 1"
    assert "Bad: AlgorithmError: row 7" in described["FailureReason"]


@pytest.mark.parametrize("action", ["sagemaker:CreateProcessingJob", "sts:AssumeRole"])
def test_steps_act_with_the_pipelines_role(cloud: FakeCloud, action: str) -> None:
    """A pipeline role that may not create the job (or be assumed) fails the step, naming the action."""
    cloud.clients.denied.add(action)
    create(cloud, definition(processing("A", cloud.program("pass"))))

    arn = start(cloud)
    finish(cloud, arn)

    step = steps(cloud, arn)["A"]
    assert step["StepStatus"] == "Failed"
    assert action in step["FailureReason"]


def test_an_unreadable_property_file_fails_the_condition(cloud: FakeCloud) -> None:
    """A metric that is not in the evaluation file fails the gate; it does not pass it."""
    missing = {"Std:JsonGet": {"PropertyFile": get("Steps.Write.PropertyFiles.Metrics"), "Path": "mae"}}
    create(
        cloud,
        definition(
            processing("Write", cloud.program(WRITE), PropertyFiles=FILE),
            condition("Check", {"Type": "LessThan", "LeftValue": missing, "RightValue": 1}, then=[fail("F")]),
        ),
    )

    arn = start(cloud)
    finish(cloud, arn)

    assert list(steps(cloud, arn)) == ["Write", "Check"]
    assert "there is no 'mae'" in steps(cloud, arn)["Check"]["FailureReason"]


def test_stop_stops_the_running_job(cloud: FakeCloud) -> None:
    """StopPipelineExecution stops running jobs; the execution ends as Stopped and later steps never start."""
    create(cloud, definition(processing("A", cloud.program(HANG)), processing("B", DependsOn=["A"])))
    arn = start(cloud)

    cloud.client().stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    described = finish(cloud, arn)

    assert described["PipelineExecutionStatus"] == "Stopped"
    assert {step["StepStatus"] for step in steps(cloud, arn).values()} <= {"Stopped"}
    assert "B" not in steps(cloud, arn)
    jobs = cloud.client().list_processing_jobs()["ProcessingJobSummaries"]
    assert {job["ProcessingJobStatus"] for job in jobs} <= {"Stopped"}
    with pytest.raises(ClientError, match="in status 'Stopped'"):
        cloud.client().stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="r" * 32)


def test_retry_runs_the_failed_step_again(cloud: FakeCloud) -> None:
    """RetryPipelineExecution keeps what succeeded and runs what failed; the execution can succeed after all."""
    create(
        cloud,
        definition(
            processing("A", cloud.program(WRITE)),
            processing("B", cloud.program("pass"), inputs={"in": output_of("A"), "more": "s3://bucket/late/"}),
        ),
    )
    arn = start(cloud)
    assert finish(cloud, arn)["PipelineExecutionStatus"] == "Failed"
    first = steps(cloud, arn)["A"]["Metadata"]

    cloud.objects["bucket/late/x"] = b"now"
    cloud.client().retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="r" * 32)

    assert finish(cloud, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert steps(cloud, arn)["A"]["Metadata"] == first
    with pytest.raises(ClientError, match="Only pipeline executions with 'Failed' or 'Stopped'"):
        cloud.client().retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="q" * 32)


def test_events_have_awss_shape(cloud: FakeCloud) -> None:
    """Execution and step events carry what AWS documents, in the order of what happened."""
    create(cloud, definition(processing("A", cloud.program("pass"))))
    arn = start(cloud, PipelineExecutionDescription="why")
    finish(cloud, arn)

    executions = cloud.events(EXECUTION_EVENT)
    step_events = cloud.events(STEP_EVENT)
    keys = ("previousPipelineExecutionStatus", "currentPipelineExecutionStatus")

    assert [tuple(event.get(key) for key in keys) for event in executions] == [
        (None, "Executing"),
        ("Executing", "Succeeded"),
    ]
    assert executions[1]["pipelineExecutionArn"] == arn
    assert executions[1]["pipelineExecutionDescription"] == "why"
    assert executions[1]["executionEndTime"].endswith("Z")
    assert [event["currentStepStatus"] for event in step_events] == ["Starting", "Executing", "Succeeded"]
    assert step_events[-1]["metadata"]["processingJob"]["arn"].startswith("arn:aws:sagemaker:")
    assert step_events[-1]["stepType"] == "Processing"


def test_journal_lists_what_runs(cloud: FakeCloud) -> None:
    """While an execution runs the journal lists it, also after the server closed; when it has ended, no more."""
    create(cloud, definition(processing("A", cloud.program(HANG))))
    done = start(cloud)
    cloud.client().stop_pipeline_execution(PipelineExecutionArn=done, ClientRequestToken="s" * 32)
    finish(cloud, done)

    running = start(cloud, token="u" * 32)
    cloud.engine.close()

    path = cloud.directory / "state" / "sagemaker" / "executions.json"
    assert Journal(path).unfinished() == [running]
    assert json.loads(path.read_text()) == cloud.engine.interrupted_executions()


def test_reset_stops_and_forgets(cloud: FakeCloud) -> None:
    """After a reset no pipeline, execution or process is left, and the journal is empty."""
    create(cloud, definition(processing("A", cloud.program(HANG))))
    start(cloud)

    cloud.engine.reset()

    assert cloud.client().list_pipelines()["PipelineSummaries"] == []
    assert cloud.client().list_processing_jobs()["ProcessingJobSummaries"] == []
    assert cloud.engine.interrupted_executions() == []
