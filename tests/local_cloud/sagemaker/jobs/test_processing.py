"""Processing jobs, really run."""

import json

import pytest

from local_cloud.service import ServiceError
from tests.local_cloud.sagemaker.fakes import IMAGE, ROLE, FakeCloud
from tests.local_cloud.sagemaker.jobs.requests import (
    await_end,
    processing_input,
    processing_request,
    run_processing,
)

COPY = (
    "t = (base/'processing/in/a.csv').read_text()\n(base/'processing/out/b.csv').write_text(t.upper())\nprint('done')"
)
HANG = "print('up', flush=True)\ntime.sleep(60)"


def test_inputs_are_there_and_outputs_arrive(cloud: FakeCloud) -> None:
    """A job finds its input under LocalPath, and what it writes into the output folder is uploaded at its end."""
    cloud.objects["bucket/data/a.csv"] = b"x,y"

    described = run_processing(
        cloud, processing_request(cloud, "copy", COPY, ProcessingInputs=[processing_input("s3://bucket/data/")])
    )

    assert described["ProcessingJobStatus"] == "Completed"
    assert cloud.objects["bucket/results/b.csv"] == b"X,Y"


def test_nested_keys_keep_their_folders(cloud: FakeCloud) -> None:
    """Objects below a prefix keep the part of their key that follows the prefix, on the way in and out."""
    cloud.objects["bucket/data/2020/a.csv"] = b"1"
    code = (
        "names = sorted(str(p.relative_to(base/'processing/in')) for p in (base/'processing/in').rglob('*.csv'))\n"
        "out = base/'processing/out/deep'\nout.mkdir()\n(out/'names.json').write_text(json.dumps(names))"
    )

    run_processing(
        cloud, processing_request(cloud, "deep", code, ProcessingInputs=[processing_input("s3://bucket/data")])
    )

    assert json.loads(cloud.objects["bucket/results/deep/names.json"]) == ["2020/a.csv"]


def test_one_object_keeps_its_name(cloud: FakeCloud) -> None:
    """An input whose URI is one object arrives under that object's name."""
    cloud.objects["bucket/models/model.tar.gz"] = b"packed"
    code = "(base/'processing/out/x').write_bytes((base/'processing/in/model.tar.gz').read_bytes())"
    source = processing_input("s3://bucket/models/model.tar.gz")

    run_processing(cloud, processing_request(cloud, "one", code, ProcessingInputs=[source]))

    assert cloud.objects["bucket/results/x"] == b"packed"


def test_manifest_selects_files(cloud: FakeCloud) -> None:
    """A ManifestFile input brings exactly the listed objects, relative to the manifest's prefix."""
    cloud.objects |= {f"bucket/curated/{name}.csv": name.encode() for name in ("a", "b", "c")}
    cloud.objects["bucket/files.manifest"] = json.dumps([{"prefix": "s3://bucket/curated/"}, "a.csv", "c.csv"]).encode()
    code = "(base/'processing/out/n').write_text(','.join(sorted(p.name for p in (base/'processing/in').iterdir())))"
    source = processing_input("s3://bucket/files.manifest", data_type="ManifestFile")

    run_processing(cloud, processing_request(cloud, "manifest", code, ProcessingInputs=[source]))

    assert cloud.objects["bucket/results/n"] == b"a.csv,c.csv"


def test_manifest_cannot_write_outside(cloud: FakeCloud) -> None:
    """A manifest entry that climbs out of the input's folder fails the job, and nothing is written there."""
    cloud.objects["bucket/curated/../../evil"] = b"!"
    cloud.objects["bucket/m"] = json.dumps([{"prefix": "s3://bucket/curated/"}, "../../evil"]).encode()
    source = processing_input("s3://bucket/m", data_type="ManifestFile")

    described = run_processing(cloud, processing_request(cloud, "climb", "pass", ProcessingInputs=[source]))

    assert described["ProcessingJobStatus"] == "Failed"
    assert "outside" in described["FailureReason"]
    assert not list(cloud.directory.rglob("evil"))


def test_environment_is_the_containers(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job sees the image's and the request's variables, its role's credentials, and nothing of the server's."""
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "1")
    code = "(base/'processing/out/env.json').write_text(json.dumps(dict(os.environ)))"

    run_processing(cloud, processing_request(cloud, "env", code, Environment={"MINE": "1", "AWS_REGION": "mars"}))

    seen = json.loads(cloud.objects["bucket/results/env.json"])
    assert (seen["MINE"], seen["FROM_IMAGE"], seen["AWS_REGION"]) == ("1", "yes", "us-east-1")
    assert seen["AWS_SESSION_TOKEN"] == f"token of {ROLE}"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert "SECRET_OF_THE_SERVER" not in seen


def test_configuration_files(cloud: FakeCloud) -> None:
    """SageMaker's configuration files lie under /opt/ml/config, with the job's ARN and its one host."""
    code = (
        "read = lambda n: json.loads((base/'config'/n).read_text())\n"
        "found = [read('processingjobconfig.json')['ProcessingJobArn'], read('resourceconfig.json')['hosts']]\n"
        "(base/'processing/out/c').write_text(json.dumps(found))"
    )

    described = run_processing(cloud, processing_request(cloud, "Config", code))

    assert json.loads(cloud.objects["bucket/results/c"]) == [described["ProcessingJobArn"], ["algo-1"]]
    assert described["ProcessingJobArn"].endswith(":processing-job/config")


def test_crash_reports_exit_code_and_log_tail(cloud: FakeCloud) -> None:
    """A program that ends with an error fails the job with AlgorithmError, its exit code, and the end of its log."""
    described = run_processing(cloud, processing_request(cloud, "crash", "raise SystemExit('row 3: no price')"))

    assert described["ProcessingJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: row 3: no price, exit code: 1"
    assert "bucket/results" not in " ".join(cloud.objects)


def test_exit_message_comes_from_the_message_file(cloud: FakeCloud) -> None:
    """What a program writes to /opt/ml/output/message becomes the job's ExitMessage."""
    described = run_processing(cloud, processing_request(cloud, "say", "(base/'output/message').write_text('5 rows')"))

    assert described["ExitMessage"] == "5 rows"


def test_log_lines_are_shipped(cloud: FakeCloud) -> None:
    """Standard output and error reach the job's stream in /aws/sagemaker/ProcessingJobs, in order."""
    run_processing(cloud, processing_request(cloud, "talk", "print('one', flush=True); print('two', file=sys.stderr)"))

    (stream,) = cloud.streams["/aws/sagemaker/ProcessingJobs"]
    assert stream.startswith("talk/algo-1-")
    assert cloud.streams["/aws/sagemaker/ProcessingJobs"][stream] == ["one", "two"]


def test_runtime_limit_stops_the_job(cloud: FakeCloud) -> None:
    """A job that exceeds MaxRuntimeInSeconds is stopped, with a reason, and uploads nothing."""
    request = processing_request(cloud, "slow", HANG, StoppingCondition={"MaxRuntimeInSeconds": 1})

    described = run_processing(cloud, request)

    assert described["ProcessingJobStatus"] == "Stopped"
    assert "maximum runtime of 1 seconds" in described["FailureReason"]


def test_memory_hog_fails_as_on_its_instance(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that needs more memory than its instance type has fails with AWS's advice."""
    monkeypatch.setattr("local_cloud.sagemaker.jobs.instances._machine_memory", lambda: 300 * 2**20)
    code = "hog = []\nfor _ in range(80):\n    hog.append(bytearray(b'x') * (10 * 2**20))\n    time.sleep(0.01)"

    described = run_processing(cloud, processing_request(cloud, "hog", code))

    assert described["ProcessingJobStatus"] == "Failed"
    assert "Please use an instance type with more memory" in described["FailureReason"]
    assert "OutOfMemory" in described["FailureReason"]


def test_stop_ends_a_running_job(cloud: FakeCloud) -> None:
    """StopProcessingJob ends the process; the job goes through Stopping to Stopped."""
    cloud.call("CreateProcessingJob", processing_request(cloud, "stop", HANG))
    cloud.call("StopProcessingJob", {"ProcessingJobName": "stop"})
    await_end(cloud.engine._processing.table, "stop")

    assert cloud.call("DescribeProcessingJob", {"ProcessingJobName": "stop"})["ProcessingJobStatus"] == "Stopped"
    statuses = [event["ProcessingJobStatus"] for event in cloud.events("SageMaker Processing Job State Change")]
    assert statuses == ["InProgress", "Stopping", "Stopped"]


def test_stop_after_the_end_is_refused(cloud: FakeCloud) -> None:
    """A job that has ended cannot be stopped."""
    run_processing(cloud, processing_request(cloud, "over", "pass"))

    with pytest.raises(ServiceError, match="in status Completed") as refusal:
        cloud.call("StopProcessingJob", {"ProcessingJobName": "over"})
    assert refusal.value.code == "ValidationException"


def test_missing_input_names_the_uri(cloud: FakeCloud) -> None:
    """An input that names no object fails the job in AWS's words, before the program starts."""
    source = processing_input("s3://bucket/nothing/")

    described = run_processing(cloud, processing_request(cloud, "none", "pass", ProcessingInputs=[source]))

    assert described["ProcessingJobStatus"] == "Failed"
    assert 'No S3 objects found under S3 URL "s3://bucket/nothing/"' in described["FailureReason"]
    assert "s3:ListBucket" in described["FailureReason"]


@pytest.mark.parametrize(
    "action",
    [
        "sts:AssumeRole",
        "ecr:BatchGetImage",
        "s3:ListBucket",
        "s3:GetObject",
        "s3:PutObject",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ],
)
def test_missing_permission_fails_the_job(cloud: FakeCloud, action: str) -> None:
    """Everything a job needs is done with its role's rights: whichever is missing, the job fails and names it."""
    cloud.objects["bucket/data/a.csv"] = b"x"
    cloud.clients.denied.add(action)

    described = run_processing(
        cloud, processing_request(cloud, "denied", COPY, ProcessingInputs=[processing_input("s3://bucket/data/")])
    )

    assert described["ProcessingJobStatus"] == "Failed"
    assert action in described["FailureReason"]
    assert ROLE.split("/")[-1] in described["FailureReason"]


def test_unknown_image_fails_the_job(cloud: FakeCloud) -> None:
    """A job whose image does not exist fails with the image's name."""
    request = processing_request(cloud, "ghost", "pass")
    request["AppSpecification"]["ImageUri"] = IMAGE + "d"

    assert IMAGE + "d" in run_processing(cloud, request)["FailureReason"]


def test_names_are_unique(cloud: FakeCloud) -> None:
    """A second job of the same name is refused with ResourceInUse."""
    run_processing(cloud, processing_request(cloud, "twice", "pass"))

    with pytest.raises(ServiceError) as refusal:
        cloud.call("CreateProcessingJob", processing_request(cloud, "twice", "pass"))
    assert refusal.value.code == "ResourceInUse"


def test_unemulated_members_are_refused_by_name(cloud: FakeCloud) -> None:
    """A member that the local cloud would ignore is refused, and the message names it."""
    request = processing_request(cloud, "pipe", "pass", ProcessingInputs=[processing_input("s3://b/k")])
    request["ProcessingInputs"][0]["S3Input"]["S3InputMode"] = "Pipe"

    with pytest.raises(ServiceError, match=r"S3InputMode = Pipe"):
        cloud.call("CreateProcessingJob", request)


def test_paths_under_opt_ml_in_arguments_are_translated(cloud: FakeCloud) -> None:
    """An argument that is a path under /opt/ml names the job's own folder."""
    request = processing_request(cloud, "args", "pathlib.Path(sys.argv[1], 'z').write_text('z')")
    request["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/out"]

    run_processing(cloud, request)

    assert cloud.objects["bucket/results/z"] == b"z"


def test_only_failed_jobs_keep_their_folder(cloud: FakeCloud) -> None:
    """The folder of a job that failed stays, to be looked at; that of a completed one is removed."""
    run_processing(cloud, processing_request(cloud, "good", "pass"))
    run_processing(cloud, processing_request(cloud, "bad", "raise SystemExit(1)"))

    kept = [path.name for path in (cloud.directory / "state" / "jobs").rglob("*") if path.name in ("good", "bad")]
    assert kept == ["bad"]


def test_list_filters_sorts_and_pages(cloud: FakeCloud) -> None:
    """ListProcessingJobs filters by name and status, sorts, and hands out every job once over its pages."""
    for name in ("alpha", "beta", "gamma-alpha"):
        run_processing(cloud, processing_request(cloud, name, "raise SystemExit(1)" if name == "beta" else "pass"))

    first = cloud.call("ListProcessingJobs", {"MaxResults": 2, "SortBy": "Name", "SortOrder": "Descending"})
    rest = cloud.call(
        "ListProcessingJobs",
        {"MaxResults": 2, "SortBy": "Name", "SortOrder": "Descending", "NextToken": first["NextToken"]},
    )
    failed = cloud.call("ListProcessingJobs", {"StatusEquals": "Failed"})
    named = cloud.call("ListProcessingJobs", {"NameContains": "ALPHA"})

    names = [item["ProcessingJobName"] for page in (first, rest) for item in page["ProcessingJobSummaries"]]
    assert names == ["gamma-alpha", "beta", "alpha"]
    assert "NextToken" not in rest
    assert [item["ProcessingJobName"] for item in failed["ProcessingJobSummaries"]] == ["beta"]
    assert [item["ProcessingJobName"] for item in named["ProcessingJobSummaries"]] == ["alpha", "gamma-alpha"]


def test_reset_ends_jobs_and_forgets_them(cloud: FakeCloud) -> None:
    """After a reset no job runs or is known, and the stopped job tells nobody."""
    cloud.call("CreateProcessingJob", processing_request(cloud, "gone", HANG))
    told = len(cloud.published)

    cloud.engine.reset()

    assert cloud.call("ListProcessingJobs", {})["ProcessingJobSummaries"] == []
    assert len(cloud.published) == told
