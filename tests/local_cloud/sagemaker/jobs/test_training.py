"""Training jobs, really run."""

import io
import json
import tarfile

import pytest

from local_cloud.service import ServiceError
from tests.local_cloud.sagemaker.fakes import FakeCloud
from tests.local_cloud.sagemaker.jobs.requests import await_end, channel, run_training, training_request

FIT = (
    "rows = (base/'input/data/train/a.csv').read_text().split()\n"
    "hyper = json.loads((base/'input/config/hyperparameters.json').read_text())\n"
    "(base/'model/weights.json').write_text(json.dumps([len(rows), hyper]))\n"
    "(base/'output/data/report.txt').write_text('ok')\n"
)


def test_model_and_output_become_archives(cloud: FakeCloud) -> None:
    """What a job writes to model/ and output/data/ arrives as model.tar.gz and output.tar.gz under its output path."""
    cloud.objects["bucket/data/a.csv"] = b"1\n2\n3\n"
    request = training_request(
        cloud, "fit", FIT, InputDataConfig=[channel("train", "s3://bucket/data")], HyperParameters={"depth": "3"}
    )

    described = run_training(cloud, request)

    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Completed"
    assert described["ModelArtifacts"]["S3ModelArtifacts"] == "s3://bucket/models/fit/output/model.tar.gz"
    assert members(cloud, "bucket/models/fit/output/model.tar.gz") == {"weights.json": b'[3, {"depth": "3"}]'}
    assert members(cloud, "bucket/models/fit/output/output.tar.gz") == {"report.txt": b"ok"}


def test_same_model_same_archive(cloud: FakeCloud) -> None:
    """Two runs that write the same files give byte-identical archives, so a digest identifies a model."""
    code = "(base/'model/b').write_text('b')\n(base/'model/a').write_text('a')"

    run_training(cloud, training_request(cloud, "first", code))
    run_training(cloud, training_request(cloud, "second", code))

    first, second = (cloud.objects[f"bucket/models/{name}/output/model.tar.gz"] for name in ("first", "second"))
    assert first == second


def test_failure_file_is_the_reason(cloud: FakeCloud) -> None:
    """What a failing program wrote to /opt/ml/output/failure stands in FailureReason, with its exit code."""
    code = "(base/'output/failure').write_text('column price is missing')\nsys.exit(3)"

    described = run_training(cloud, training_request(cloud, "fail", code))

    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: column price is missing, exit code: 3"


def test_long_failure_keeps_its_exit_code(cloud: FakeCloud) -> None:
    """FailureReason is cut to AWS's 1024 characters, but its end, the exit code, stays."""
    described = run_training(
        cloud, training_request(cloud, "long", "(base/'output/failure').write_text('x' * 5000)\nsys.exit(2)")
    )

    assert len(described["FailureReason"]) == 1024
    assert described["FailureReason"].endswith(", exit code: 2")


def test_phases_are_recorded(cloud: FakeCloud) -> None:
    """The secondary status goes Starting, Downloading, Training, Uploading, Completed, in Describe and in events."""
    phases = ["Starting", "Downloading", "Training", "Uploading", "Completed"]

    described = run_training(cloud, training_request(cloud, "phases", "pass"))

    transitions = described["SecondaryStatusTransitions"]
    assert [item["Status"] for item in transitions] == phases
    assert all(item["EndTime"] >= item["StartTime"] for item in transitions)
    events = cloud.events("SageMaker Training Job State Change")
    assert [event["SecondaryStatus"] for event in events] == phases
    assert isinstance(events[-1]["TrainingEndTime"], int)


def test_metrics_come_from_log_lines(cloud: FakeCloud) -> None:
    """Metric definitions pick numbers out of the log; the last value of each becomes FinalMetricDataList."""
    request = training_request(cloud, "metrics", "print('rmse=5.5;')\nprint('rmse=nothing;')\nprint('rmse=1.25;')")
    request["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "rmse", "Regex": "rmse=([^;]+);"},
        {"Name": "mae", "Regex": "mae=([^;]+);"},
    ]

    (metric,) = run_training(cloud, request)["FinalMetricDataList"]

    assert (metric["MetricName"], metric["Value"]) == ("rmse", 1.25)


def test_runtime_limit_keeps_the_model(cloud: FakeCloud) -> None:
    """A job over its runtime is stopped with MaxRuntimeExceeded, and what it saved so far is uploaded."""
    code = "(base/'model/m').write_text('m')\ntime.sleep(60)"

    described = run_training(
        cloud, training_request(cloud, "limit", code, StoppingCondition={"MaxRuntimeInSeconds": 1})
    )

    assert (described["TrainingJobStatus"], described["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert members(cloud, "bucket/models/limit/output/model.tar.gz") == {"m": b"m"}


def test_stop(cloud: FakeCloud) -> None:
    """StopTrainingJob ends the process and the job is Stopped."""
    cloud.call("CreateTrainingJob", training_request(cloud, "stop", "time.sleep(60)"))
    cloud.call("StopTrainingJob", {"TrainingJobName": "stop"})
    await_end(cloud.engine._training.table, "stop")

    assert cloud.call("DescribeTrainingJob", {"TrainingJobName": "stop"})["TrainingJobStatus"] == "Stopped"


def test_unpacked_output(cloud: FakeCloud) -> None:
    """With CompressionType NONE the model's files are uploaded as they are, below output/model/."""
    output = {"S3OutputPath": "s3://bucket/models/", "CompressionType": "NONE"}

    described = run_training(
        cloud, training_request(cloud, "raw", "(base/'model/m').write_text('m')", OutputDataConfig=output)
    )

    assert described["ModelArtifacts"]["S3ModelArtifacts"] == "s3://bucket/models/raw/output/model/"
    assert cloud.objects["bucket/models/raw/output/model/m"] == b"m"


def test_unknown_job_is_a_validation_error(cloud: FakeCloud) -> None:
    """Describing a job that does not exist raises ValidationException, which botocore's waiters look for."""
    with pytest.raises(ServiceError, match="ghost") as refusal:
        cloud.call("DescribeTrainingJob", {"TrainingJobName": "ghost"})
    assert refusal.value.code == "ValidationException"


def test_constraints_are_worded_as_by_aws(cloud: FakeCloud) -> None:
    """Values outside their enum or pattern are refused with the constraint, before anything starts."""
    request = training_request(cloud, "bad name", "pass")
    request["ResourceConfig"]["InstanceType"] = "ml.x9.mega"

    with pytest.raises(ServiceError) as refusal:
        cloud.call("CreateTrainingJob", request)

    assert refusal.value.message.startswith("2 validation errors detected: Value 'bad name' at 'trainingJobName'")
    assert (
        "'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum" in refusal.value.message
    )


def test_list_training_jobs(cloud: FakeCloud) -> None:
    """ListTrainingJobs gives summaries with the secondary status, oldest first."""
    for name in ("one", "two"):
        run_training(cloud, training_request(cloud, name, "pass"))

    summaries = cloud.call("ListTrainingJobs", {})["TrainingJobSummaries"]

    assert [(item["TrainingJobName"], item["SecondaryStatus"]) for item in summaries] == [
        ("one", "Completed"),
        ("two", "Completed"),
    ]


def members(cloud: FakeCloud, name: str) -> dict[str, bytes]:
    """The files of an archive in S3."""
    with tarfile.open(fileobj=io.BytesIO(cloud.objects[name])) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in files}  # type: ignore[union-attr]


def test_configuration_of_channels(cloud: FakeCloud) -> None:
    """inputdataconfig.json and resourceconfig.json describe channels and the one host."""
    cloud.objects["bucket/data/a.csv"] = b"1"
    code = (
        "read = lambda n: json.loads((base/'input/config'/n).read_text())\n"
        "found = [read('inputdataconfig.json'), read('resourceconfig.json')['current_host']]\n"
        "(base/'model/c').write_text(json.dumps(found))"
    )

    run_training(cloud, training_request(cloud, "conf", code, InputDataConfig=[channel("train", "s3://bucket/data")]))

    channels, host = json.loads(members(cloud, "bucket/models/conf/output/model.tar.gz")["c"])
    assert channels["train"]["TrainingInputMode"] == "File"
    assert host == "algo-1"
