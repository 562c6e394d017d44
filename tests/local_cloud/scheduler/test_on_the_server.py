"""EventBridge Scheduler and scheduled rules on the running local cloud, with its clients and its IAM."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running_cloud import ACCOUNT, REGION, RunningCloud
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
OFF = {"Mode": "OFF"}
GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **given} for given in statements]})


def _role(
    cloud: RunningCloud, *actions: str, principal: str = "scheduler.amazonaws.com", group_arn: str = GROUP
) -> str:
    """The ARN of an execution role that only Scheduler, for one group, may assume: as CDK makes it."""
    condition = {"StringEquals": {"aws:SourceArn": group_arn, "aws:SourceAccount": ACCOUNT}}
    trust = _document({"Principal": {"Service": principal}, "Action": "sts:AssumeRole", "Condition": condition})
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="schedule", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if actions:
        policy = _document({"Action": list(actions), "Resource": "*"})
        iam.put_role_policy(RoleName="schedule", PolicyName="own", PolicyDocument=policy)
    return str(arn)


def _queue(cloud: RunningCloud, name: str = "queue", **attributes: str) -> str:
    return str(cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def _bodies(cloud: RunningCloud, url: str, *, count: int = 1) -> list[str]:
    """The bodies of `count` messages, in the order in which they come."""
    found: list[str] = []

    def enough() -> bool:
        answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        found.extend(message["Body"] for message in answer.get("Messages", []))
        return len(found) >= count

    wait_for(enough, what=f"{count} messages")
    return found


def _error(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_a_rate_calls_its_target_at_once_and_then_every_scaled_minute(cloud: RunningCloud) -> None:
    """The moments are 0.6 s apart at the default scale; a disabled schedule is silent; nothing is refused."""
    client, url = cloud.client("scheduler"), _queue(cloud)
    target = {"Arn": QUEUE, "RoleArn": _role(cloud, "sqs:SendMessage"), "Input": "<aws.scheduler.scheduled-time>"}
    began = datetime.now(UTC)
    client.create_schedule(Name="often", ScheduleExpression="rate(1 minutes)", FlexibleTimeWindow=OFF, Target=target)
    created = datetime.now(UTC)
    moments = [datetime.strptime(body, "%Y-%m-%dT%H:%M:%S%z") for body in _bodies(cloud, url, count=3)]
    assert began - timedelta(seconds=1) <= moments[0] <= created + timedelta(seconds=2)
    # A busy server leaves some of them out; two minutes that nothing shortens would be far longer.
    assert timedelta(seconds=1) <= moments[2] - moments[0] <= timedelta(seconds=30)

    client.update_schedule(
        Name="often", ScheduleExpression="rate(1 minutes)", FlexibleTimeWindow=OFF, Target=target, State="DISABLED"
    )
    assert cloud.page("idle") == {"idle": True}
    entries = len(cloud.page("status")["deliveries"])
    shown = client.get_schedule(Name="often")
    assert (shown["State"], shown["GroupName"], shown["ScheduleExpressionTimezone"]) == ("DISABLED", "default", "UTC")
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert cloud.page("idle") == {"idle": True}
    assert len(cloud.page("status")["deliveries"]) == entries
    assert cloud.page("status")["refused"] == []


def test_a_one_time_schedule_deletes_itself_after_its_last_call(cloud: RunningCloud) -> None:
    """Its universal target is called once, a scaled time from now."""
    client, url = cloud.client("scheduler"), _queue(cloud)
    moment = datetime.now(UTC) + timedelta(minutes=2)
    given = {"QueueUrl": url, "MessageBody": "<aws.scheduler.schedule-arn>"}
    arn = client.create_schedule(
        Name="once",
        ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
            "RoleArn": _role(cloud, "sqs:SendMessage"),
            "Input": json.dumps(given),
        },
    )["ScheduleArn"]
    assert _bodies(cloud, url) == [arn]
    wait_for(lambda: client.list_schedules()["Schedules"] == [], what="the schedule to go")
    with pytest.raises(ClientError) as gone:
        client.get_schedule(Name="once")
    assert _error(gone) == ("ResourceNotFoundException", "Schedule once does not exist.")


def test_the_execution_role_needs_the_right_of_the_target(cloud: RunningCloud) -> None:
    """A role without sns:Publish fails once, without retries, and the dead letter carries the refusal."""
    dead = _queue(cloud, "dead")
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    cloud.client("scheduler").create_schedule(
        Name="mute",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow=OFF,
        Target={
            "Arn": topic,
            "RoleArn": _role(cloud, "sqs:SendMessage"),
            "Input": "text",
            "DeadLetterConfig": {"Arn": QUEUE.replace("queue", "dead")},
        },
    )
    assert _bodies(cloud, dead) == ["text"]
    assert [entry["outcome"] for entry in cloud.page("status")["deliveries"]] == ["failed", "dead-lettered"]
    refusal = cloud.page("status")["deliveries"][0]["error_message"]
    assert "assumed-role/schedule/scheduler is not authorized to perform: sns:Publish" in refusal


@pytest.mark.parametrize(
    "trust",
    [{"principal": "events.amazonaws.com"}, {"group_arn": GROUP.replace("default", "other")}],
    ids=["principal", "group"],
)
def test_a_role_that_scheduler_may_not_assume_is_refused_at_once(cloud: RunningCloud, trust: dict[str, str]) -> None:
    """CreateSchedule tries the role, for this schedule's group, as AWS does."""
    _queue(cloud)
    with pytest.raises(ClientError) as refused:
        cloud.client("scheduler").create_schedule(
            Name="s",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow=OFF,
            Target={"Arn": QUEUE, "RoleArn": _role(cloud, "sqs:SendMessage", **trust)},
        )
    code, message = _error(refused)
    assert code == "ValidationException"
    assert "The execution role you provide must allow AWS EventBridge Scheduler to assume the role." in message


def test_creating_a_schedule_passes_its_role(cloud: RunningCloud) -> None:
    """A caller who may create schedules but not pass the role is refused for iam:PassRole."""
    role = _role(cloud, "sqs:SendMessage")
    trust = _document({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"})
    iam = cloud.client("iam")
    caller = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = _document({"Action": "scheduler:*", "Resource": "*"})
    iam.put_role_policy(RoleName="caller", PolicyName="own", PolicyDocument=allowed)
    with pytest.raises(ClientError) as refused:
        cloud.role_client("scheduler", caller).create_schedule(
            Name="s",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow=OFF,
            Target={"Arn": QUEUE, "RoleArn": role},
        )
    assert _error(refused)[0] == "AccessDeniedException"
    assert f"iam:PassRole on resource: {role}" in _error(refused)[1]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ScheduleExpression": "cron(0 0 * * * *)"}, "exactly one of day-of-month and day-of-week"),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid Schedule Expression Timezone Mars/Base"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "needs MaximumWindowInMinutes"),
        ({"StartDate": datetime(2020, 1, 1, tzinfo=UTC)}, "cannot be earlier than 5 minutes ago"),
        ({"Arn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/x"}, "is not emulated by the local cloud"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage"}, "only reads"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendLetter"}, "no service and API action that exists"),
        ({"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "Input": "{"}, "is not JSON"),
        ({"GroupName": "absent"}, "Schedule group absent does not exist"),
    ],
)
def test_a_schedule_that_aws_would_refuse_is_refused(
    cloud: RunningCloud, changes: dict[str, Any], complaint: str
) -> None:
    """The message says what is wrong, and nothing is created."""
    client = cloud.client("scheduler")
    target = {"Arn": QUEUE, "RoleArn": _role(cloud), "Input": "{}"}
    target |= {name: changes[name] for name in ("Arn", "Input") if name in changes}
    request = {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF, "Target": target}
    request |= {name: value for name, value in changes.items() if name not in ("Arn", "Input")}
    with pytest.raises(ClientError, match=complaint):
        client.create_schedule(**request)
    assert client.list_schedules()["Schedules"] == []


def test_a_group_takes_its_schedules_along(cloud: RunningCloud) -> None:
    """Groups are listed with the default one, have tags, and delete what is in them."""
    client = cloud.client("scheduler")
    arn = client.create_schedule_group(Name="monitors", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    role = _role(cloud, "sqs:SendMessage", group_arn=arn)
    request = {"Name": "s", "GroupName": "monitors", "ScheduleExpression": "cron(0 0 1 1 ? 2199)"}
    client.create_schedule(**request, FlexibleTimeWindow=OFF, Target={"Arn": QUEUE, "RoleArn": role})

    assert [group["Name"] for group in client.list_schedule_groups()["ScheduleGroups"]] == ["default", "monitors"]
    assert [schedule["Name"] for schedule in client.list_schedules(GroupName="monitors")["Schedules"]] == ["s"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    client.delete_schedule_group(Name="monitors")
    assert client.list_schedules()["Schedules"] == []
    with pytest.raises(ClientError, match="The default schedule group cannot be deleted"):
        client.delete_schedule_group(Name="default")


def test_a_rule_with_a_schedule_delivers_a_scheduled_event(cloud: RunningCloud) -> None:
    """It fires every scaled minute while it is enabled, and not for other events; a wrong expression is refused."""
    events = cloud.client("events")
    rule = events.put_rule(Name="tick", ScheduleExpression="rate(1 minute)")["RuleArn"]
    policy = _document(
        {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}
    )
    url = _queue(cloud, Policy=policy)
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": QUEUE}])
    events.put_events(Entries=[{"Source": "other", "DetailType": "Other", "Detail": "{}"}])

    delivered = [json.loads(body) for body in _bodies(cloud, url, count=2)]
    assert {(event["source"], event["detail-type"], *event["resources"]) for event in delivered} == {
        ("aws.events", "Scheduled Event", rule)
    }
    events.disable_rule(Name="tick")
    assert cloud.page("idle") == {"idle": True}
    entries = len(cloud.page("status")["deliveries"])
    for expression in ("rate(1 minutes)", "cron(0 0 * * * *)", "at(2030-01-01T00:00:00)"):
        with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
            events.put_rule(Name="wrong", ScheduleExpression=expression)
    assert len(cloud.page("status")["deliveries"]) == entries
