"""The example workflow of the Data Science SDK, created and run on the local cloud by its own command."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from local_cloud.moto.states.interpreter import StatesInterpreter
from local_cloud.stepfunctions.definition import check_definition
from tests.local_cloud.sagemaker.pipelines.definitions import condition, definition, equals, fail
from tests.local_cloud.stepfunctions.account import Account, prepare, role_for
from tests.local_cloud.stepfunctions.programs import Puppet
from tests.running_cloud import ACCOUNT, REGION, ROOT, RunningCloud
from workflows import review_model

pytestmark = pytest.mark.xdist_group("local-cloud")


@pytest.fixture
def account(cloud: RunningCloud) -> Account:
    """An empty account with a role for state machines."""
    return prepare(cloud)


def _call(account: Account, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command, as a user of this cloud."""
    environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **account.cloud.environment}
    return subprocess.run(
        [sys.executable, "-m", "workflows.review_model", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _reviewers(account: Account) -> tuple[str, str]:
    """A topic, and the URL of a queue that gets what it says."""
    sqs, sns = account.cloud.client("sqs"), account.cloud.client("sns")
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:reviewers"
    url = str(sqs.create_queue(QueueName="reviewers")["QueueUrl"])
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    topic = str(sns.create_topic(Name="reviewers")["TopicArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def _pipeline(account: Account, *steps: dict[str, Any]) -> None:
    role = role_for(account.cloud, "pipeline", "sagemaker.amazonaws.com")
    account.cloud.client("sagemaker").create_pipeline(
        PipelineName="train", RoleArn=role, PipelineDefinition=definition(*steps)
    )


@pytest.mark.parametrize(
    ("step", "status"), [(condition("Fine", equals(1, 1)), "Succeeded"), (fail("Stop", "too few rows"), "Failed")]
)
def test_the_reviewers_learn_how_a_training_ended(account: Account, step: dict[str, Any], status: str) -> None:
    """`--run` creates the workflow, runs it under its role, and the topic says what became of the pipeline."""
    _pipeline(account, step)
    topic, inbox = _reviewers(account)
    account.allow("sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution", "sns:Publish")

    done = _call(
        account,
        "--run",
        "--role",
        account.role,
        "--pipeline",
        "train",
        "--topic",
        topic,
        "--poll",
        "0.1",
        "--limit",
        "60",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    arn, ended = done.stdout.splitlines()
    assert arn == f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:review-model"
    assert ended.startswith("SUCCEEDED {")
    account.cloud.page("idle")
    (message,) = account.cloud.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=5)["Messages"]
    told = json.loads(message["Body"])
    assert (told["pipeline"], told["status"]) == ("train", status)
    assert ":pipeline/train/execution/" in told["execution"]
    assert told["ended"].endswith("Z")


def test_a_workflow_without_rights_fails_with_the_reason(account: Account) -> None:
    """The command ends with 1 and shows who was refused what; creating it again updates it."""
    _pipeline(account, fail("Stop"))
    topic, _ = _reviewers(account)
    assert _call(account, "--create", "--role", account.role).returncode == 0

    done = _call(account, "--run", "--role", account.role, "--pipeline", "train", "--topic", topic, "--poll", "0.1")

    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "not authorized to perform: sagemaker:StartPipelineExecution" in done.stdout


def test_the_definition_is_printed_without_an_account(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No credentials, no region; what is printed is a definition that the interpreter accepts."""
    monkeypatch.delenv("AWS_REGION", raising=False)

    assert review_model.main(["--print"]) == 0

    check_definition(capsys.readouterr().out, parse=StatesInterpreter(Puppet(), scale=1).parse)


def test_what_is_missing_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on stderr, no stack trace."""
    assert review_model.main(["--run", "--role", "arn:aws:iam::123456789012:role/r"]) == 1
    assert capsys.readouterr().err == "error: give --pipeline and --topic as well\n"
