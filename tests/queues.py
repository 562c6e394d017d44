"""Queues in which tests find what others send."""

import json
from collections.abc import Mapping
from typing import Any

from tests.running_cloud import RunningCloud


def new_queue(cloud: RunningCloud, name: str) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    sqs = cloud.client("sqs")
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    return url, str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def queue_behind_rule(cloud: RunningCloud, name: str, *, pattern: Mapping[str, Any]) -> str:
    """URL of a new queue that gets every event that fits a pattern; the rule has the queue's name."""
    events = cloud.client("events")
    url, arn = new_queue(cloud, name)
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url
