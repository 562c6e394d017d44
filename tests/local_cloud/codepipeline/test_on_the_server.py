"""A pipeline on the running local cloud: real artifacts, functions, stacks, roles and events, through boto3."""

import json
from typing import Any

import pytest

from tests.local_cloud.codepipeline.deployed import TEMPLATE, Account, prepare
from tests.running_cloud import ACCOUNT, REGION, RunningCloud
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")
OVERRIDES = {"ParameterOverrides": json.dumps({"Value": "#{variables.Version}"})}


@pytest.fixture
def account(cloud: RunningCloud) -> Account:
    """An empty account with what a pipeline needs."""
    return prepare(cloud)


def _approval(account: Account) -> dict[str, Any]:
    configuration = {
        "NotificationArn": account.cloud.client("sns").create_topic(Name="approvers")["TopicArn"],
        "CustomData": "release #{variables.Version}",
        "ExternalEntityLink": "https://example.com/evidence/#{Source.VersionId}",
    }
    return {"name": "Approve", "actions": [account.action("Approve", "Approval/Manual", configuration)]}


def _inbox(cloud: RunningCloud) -> str:
    """A queue that gets what the topic `approvers` and CodePipeline's events say."""
    sqs, sns, events = cloud.client("sqs"), cloud.client("sns"), cloud.client("events")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    topic = sns.create_topic(Name="approvers")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    pattern = {"source": ["aws.codepipeline"], "detail-type": ["CodePipeline Pipeline Execution State Change"]}
    events.put_rule(Name="all", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="all", Targets=[{"Id": "inbox", "Arn": arn}])
    return str(url)


def _received(cloud: RunningCloud, url: str) -> list[dict[str, Any]]:
    cloud.page("idle")
    sqs = cloud.client("sqs")
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def _token(account: Account) -> str:
    client = account.cloud.client("codepipeline")

    def token() -> str | None:
        stages = client.get_pipeline_state(name="release")["stageStates"]
        (approve,) = [stage for stage in stages if stage["stageName"] == "Approve"]
        found: str | None = approve["actionStates"][0].get("latestExecution", {}).get("token")
        return found

    return wait_for(token, what="the approval") or ""


def test_a_release_from_its_source_through_an_approval_and_a_function_to_a_stack(account: Account) -> None:
    """Every action type, each with its own role; approvers are told, variables flow, the stack has the value."""
    cloud = account.cloud
    inbox = _inbox(cloud)
    version = account.put_source()
    value = {"value": "#{variables.Version}", "continue": True}
    verify = account.verify(value, inputArtifacts=[{"name": "App"}])
    account.create(_approval(account), verify, account.deploy(configuration=OVERRIDES))
    client = cloud.client("codepipeline")
    execution_id = account.newest()

    token = _token(account)
    (notification,) = wait_for(
        lambda: [message for message in _received(cloud, inbox) if message.get("Type") == "Notification"],
        what="the message to the approvers",
    )
    assert notification["Subject"] == "APPROVAL NEEDED: AWS CodePipeline release for action Approve"
    asked = json.loads(notification["Message"])["approval"]
    assert (asked["token"], asked["customData"]) == (token, "release v1")
    assert asked["externalEntityLink"] == f"https://example.com/evidence/{version}"
    client.put_approval_result(
        pipelineName="release",
        stageName="Approve",
        actionName="Approve",
        token=token,
        result={"status": "Approved", "summary": "go"},
    )

    ended = account.ended(execution_id)
    assert ended["status"] == "Succeeded", ended
    assert account.live() == "v1"
    variables = account.variables(execution_id)
    assert variables["Source"]["VersionId"] == ended["artifactRevisions"][0]["revisionId"] == version
    assert variables["Verify"]["token"] == "second"
    assert int(variables["Verify"]["artifact_bytes"]) > 100
    assert variables["Deploy"] == {"LiveParameter": "/release/live"}
    assert variables["Approve"] == {"ApprovalSummary": "go"}
    states = [message["detail"]["state"] for message in _received(cloud, inbox)]
    assert states[-1] == "SUCCEEDED"


def test_a_second_release_updates_the_stack_and_a_third_changes_nothing(account: Account) -> None:
    """The same stack gets the new value; a release without a change succeeds."""
    account.put_source()
    account.create(account.deploy(configuration=OVERRIDES))
    account.ended(account.newest())
    client = account.cloud.client("codepipeline")

    for _ in range(2):
        started = client.start_pipeline_execution(name="release", variables=[{"name": "Version", "value": "v2"}])
        assert account.ended(started["pipelineExecutionId"])["status"] == "Succeeded"
        assert account.live() == "v2"


def test_a_stack_that_fails_fails_the_release_with_the_resource_and_its_reason(account: Account) -> None:
    """The old stack is back, and the message says which resource would not change and why."""
    account.put_source()
    account.create(account.deploy(configuration=OVERRIDES))
    account.ended(account.newest())
    account.put_source({**TEMPLATE, "Resources": {"Parameter": _with_name("/aws/reserved")}})

    started = account.cloud.client("codepipeline").start_pipeline_execution(name="release")
    ended = account.ended(started["pipelineExecutionId"])

    assert ended["status"] == "Failed"
    assert (
        "Action Deploy in stage Deploy failed: The stack live ended in UPDATE_ROLLBACK_COMPLETE. Parameter:"
        in (ended["statusSummary"])
    )
    assert "/aws/reserved" in ended["statusSummary"]
    assert account.live() == "v1"


def _with_name(name: str) -> dict[str, Any]:
    resource: dict[str, Any] = dict(TEMPLATE["Resources"]["Parameter"])  # type: ignore[arg-type]
    return resource | {"Properties": resource["Properties"] | {"Name": name}}


def test_a_function_that_reports_a_failure_fails_the_release_with_its_message(account: Account) -> None:
    """The function's own words reach the approver."""
    account.put_source()
    account.create(account.verify({"fail": "parity is 0.3, 0.001 is allowed"}))

    ended = account.ended(account.newest())
    assert ended["statusSummary"] == "Action Verify in stage Verify failed: parity is 0.3, 0.001 is allowed"


def test_a_role_that_lacks_a_right_fails_its_action(account: Account) -> None:
    """The action's own role decides, not the pipeline's, and the refusal names what is missing."""
    account.put_source()
    account.cloud.client("iam").delete_role_policy(RoleName="deploy", PolicyName="own")
    account.create(account.deploy(configuration=OVERRIDES))

    summary = account.ended(account.newest())["statusSummary"]
    assert "Insufficient permissions" in summary
    assert "assumed-role/deploy/" in summary


def test_an_action_role_that_the_pipeline_may_not_assume_fails_its_action(account: Account) -> None:
    """The pipeline's role needs sts:AssumeRole on it."""
    account.put_source()
    account.cloud.client("iam").delete_role_policy(RoleName="pipeline", PolicyName="own")
    account.create(account.deploy(configuration=OVERRIDES))

    summary = account.ended(account.newest())["statusSummary"]
    assert "Action Source in stage Source failed: Insufficient permissions" in summary
    assert "sts:AssumeRole" in summary


def test_what_is_missing_in_a_source_is_said(account: Account) -> None:
    """No object, no versioned bucket, no such file in the archive: each with its name."""
    account.create(account.deploy(configuration={"TemplatePath": "App::other.json"} | OVERRIDES))
    client = account.cloud.client("codepipeline")
    assert "'app.zip' does not exist" in account.ended(account.newest())["statusSummary"]

    account.put_source()
    started = client.start_pipeline_execution(name="release")
    summary = account.ended(started["pipelineExecutionId"])["statusSummary"]
    assert "File [other.json] does not exist in artifact [App]" in summary

    suspended = {"Status": "Suspended"}
    account.cloud.client("s3").put_bucket_versioning(Bucket="source", VersioningConfiguration=suspended)
    started = client.start_pipeline_execution(name="release")
    assert "'source' is not versioned" in account.ended(started["pipelineExecutionId"])["statusSummary"]


def test_an_older_source_version_can_be_released(account: Account) -> None:
    """sourceRevisions choose the version of the source object."""
    old = account.put_source()
    account.put_source({**TEMPLATE, "Outputs": {}})
    account.create(account.deploy(configuration=OVERRIDES))
    account.ended(account.newest())
    revision = {"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old}

    started = account.cloud.client("codepipeline").start_pipeline_execution(name="release", sourceRevisions=[revision])

    ended = account.ended(started["pipelineExecutionId"])
    assert ended["artifactRevisions"][0]["revisionId"] == old
    assert account.variables(started["pipelineExecutionId"])["Deploy"] == {"LiveParameter": "/release/live"}


def test_change_sets_files_and_deletion(account: Account) -> None:
    """A change set is made and executed with parameters from an artifact, its outputs become one, the stack goes."""
    account.put_source(
        settings={"Parameters": {"Value": "from-file"}, "Tags": {"team": "ml"}}, extra={"Kind": "String"}
    )
    names = {"ChangeSetName": "next"}
    overrides = json.dumps({"Kind": {"Fn::GetParam": ["App", "extra.json", "Kind"]}})
    prepare_set = account.deploy(
        configuration={
            "ActionMode": "CHANGE_SET_REPLACE",
            "TemplateConfiguration": "App::settings.json",
            "ParameterOverrides": overrides,
            **names,
        },
        namespace="Prepared",
    )
    execute = account.deploy(
        configuration={"ActionMode": "CHANGE_SET_EXECUTE", "OutputFileName": "out.json", **names},
        outputArtifacts=[{"name": "Out"}],
    )
    delete = account.deploy(configuration={"ActionMode": "DELETE_ONLY"}, namespace="Deleted")
    stages = [
        stage | {"name": name} for name, stage in (("Prepare", prepare_set), ("Execute", execute), ("Delete", delete))
    ]
    approve = {"name": "Approve", "actions": [account.action("Approve", "Approval/Manual", {})]}
    account.create(stages[0], stages[1], approve, stages[2])
    execution_id = account.newest()

    token = _token(account)
    assert account.live() == "from-file"
    stack = account.cloud.client("cloudformation").describe_stacks(StackName="live")["Stacks"][0]
    assert stack["Tags"] == [{"Key": "team", "Value": "ml"}]
    client = account.cloud.client("codepipeline")
    decision = {"status": "Approved", "summary": "bye"}
    client.put_approval_result(
        pipelineName="release", stageName="Approve", actionName="Approve", token=token, result=decision
    )
    assert account.ended(execution_id)["status"] == "Succeeded"
    stacks = account.cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert "live" not in [stack["StackName"] for stack in stacks]


def test_only_callers_with_the_right_may_approve(account: Account) -> None:
    """PutApprovalResult is authorized on the approval action's own ARN."""
    account.put_source()
    account.create(_approval(account))
    token = _token(account)
    iam = account.cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="approver", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    client = account.cloud.role_client("codepipeline", role)
    request = {
        "pipelineName": "release",
        "stageName": "Approve",
        "actionName": "Approve",
        "token": token,
        "result": {"status": "Approved", "summary": ""},
    }
    with pytest.raises(client.exceptions.ClientError, match="codepipeline:PutApprovalResult"):
        client.put_approval_result(**request)

    allowed = {
        "Effect": "Allow",
        "Action": "codepipeline:PutApprovalResult",
        "Resource": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:release/Approve/Approve",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="approver", PolicyName="own", PolicyDocument=policy)
    client.put_approval_result(**request)
    assert account.ended(account.newest())["status"] == "Succeeded"


def test_a_reset_in_the_middle_of_a_release_leaves_nothing(account: Account) -> None:
    """An approval that waits does not hold the reset up, and the same names can be used at once."""
    account.put_source()
    account.create(_approval(account))
    _token(account)

    account.cloud.reset()

    assert account.cloud.client("codepipeline").list_pipelines()["pipelines"] == []
    again = prepare(account.cloud)
    again.put_source()
    again.create(again.deploy(configuration=OVERRIDES))
    assert again.ended(again.newest())["status"] == "Succeeded"
