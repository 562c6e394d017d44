"""Schedules and schedule groups on the running local cloud, as templates have them."""

from typing import Any

import pytest

from tests.local_cloud.cloudformation.live import deploy, destroy, outputs, resource
from tests.running_cloud import ACCOUNT, REGION, RunningCloud

pytestmark = pytest.mark.xdist_group("local-cloud")

NEVER = "cron(0 0 1 1 ? 2199)"


def _template(*, group_tags: dict[str, str], **properties: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Queue": resource("AWS::SQS::Queue"),
        "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]}),
        "Group": resource(
            "AWS::Scheduler::ScheduleGroup",
            Name="monitors",
            Tags=[{"Key": key, "Value": value} for key, value in group_tags.items()],
        ),
        "Schedule": resource(
            "AWS::Scheduler::Schedule",
            **{
                "GroupName": {"Ref": "Group"},
                "ScheduleExpression": NEVER,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "RetryPolicy": {"MaximumRetryAttempts": "3"},
                },
                **properties,
            },
        ),
    }


def test_a_schedule_follows_its_template(cloud: RunningCloud) -> None:
    """Settings and tags change in place, a new name replaces the schedule, and all goes with the stack."""
    client = cloud.client("scheduler")
    shown = {
        "Schedule": {"Value": {"Fn::GetAtt": ["Schedule", "Arn"]}},
        "Group": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}},
        "State": {"Value": {"Fn::GetAtt": ["Group", "State"]}},
    }
    first = deploy(cloud, _template(group_tags={"a": "1"}), Outputs=shown)
    prefix = f"arn:aws:scheduler:{REGION}:{ACCOUNT}"
    assert outputs(cloud) == {
        "Schedule": f"{prefix}:schedule/monitors/{first['Schedule']}",
        "Group": f"{prefix}:schedule-group/monitors",
        "State": "ACTIVE",
    }
    assert first["Schedule"].startswith("s-Schedule-")
    live = client.get_schedule(Name=first["Schedule"], GroupName="monitors")
    assert (live["State"], live["Target"]["RetryPolicy"]["MaximumRetryAttempts"]) == ("ENABLED", 3)

    second = deploy(cloud, _template(group_tags={"b": "2"}, State="DISABLED", Description="later"), Outputs=shown)
    assert second["Schedule"] == first["Schedule"]
    live = client.get_schedule(Name=first["Schedule"], GroupName="monitors")
    assert (live["State"], live["Description"]) == ("DISABLED", "later")
    tags = client.list_tags_for_resource(ResourceArn=outputs(cloud)["Group"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags}["b"] == "2"
    assert "a" not in {tag["Key"] for tag in tags}

    deploy(cloud, _template(group_tags={}, Name="renamed"), Outputs=shown)
    assert [schedule["Name"] for schedule in client.list_schedules()["Schedules"]] == ["renamed"]

    destroy(cloud)
    assert client.list_schedules()["Schedules"] == []
    assert [group["Name"] for group in client.list_schedule_groups()["ScheduleGroups"]] == ["default"]
