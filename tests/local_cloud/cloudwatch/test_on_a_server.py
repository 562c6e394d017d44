"""CloudWatch on a running local cloud: unmodified clients, real queues, topics, rules and functions."""

import io
import json
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.cloudformation.live import deploy, destroy, resource
from tests.running_cloud import ACCOUNT, REGION, RunningCloud
from tests.waiting import wait_for

_ALARM = {
    "Namespace": "app",
    "MetricName": "errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "DatapointsToAlarm": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}
_AWS_CLI = Path(sys.executable).parent / "aws"


def _queue(cloud: RunningCloud, name: str) -> tuple[str, str]:
    """URL and ARN of a new queue that takes messages from everybody."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def _received(cloud: RunningCloud, url: str, *, what: str) -> dict[str, Any]:
    """The body of the next message, which is taken out of the queue."""
    sqs = cloud.client("sqs")
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"), what=what)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    body: dict[str, Any] = json.loads(message["Body"])
    return body


def _topic(cloud: RunningCloud, subscriber: str) -> str:
    sns = cloud.client("sns")
    topic = str(sns.create_topic(Name="alarms")["TopicArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscriber)
    return topic


def _wait_for_state(cloud: RunningCloud, name: str, state: str) -> dict[str, Any]:
    client = cloud.client("cloudwatch")

    def described() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found if found["StateValue"] == state else None

    return wait_for(described, what=f"{name} to be {state}") or {}


def _history(cloud: RunningCloud, name: str) -> list[str]:
    items = cloud.client("cloudwatch").describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    return [item["HistorySummary"] for item in items]


def _function(cloud: RunningCloud, name: str, code: str) -> str:
    """The ARN of a new function."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName=f"{name}-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", code)
    answer = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="handler.handle",
        Code={"ZipFile": package.getvalue()},
    )
    return str(answer["FunctionArn"])


def test_an_alarm_tells_a_topic_and_the_default_bus(cloud: RunningCloud) -> None:
    """PutMetricData above the threshold is an alarm within seconds: one SNS message, one event of AWS's shape."""
    events, client = cloud.client("events"), cloud.client("cloudwatch")
    mails, mails_arn = _queue(cloud, "mails")
    bus, bus_arn = _queue(cloud, "bus")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": bus_arn}])
    client.put_metric_alarm(AlarmName="a", AlarmActions=[_topic(cloud, mails_arn)], **_ALARM)
    _wait_for_state(cloud, "a", "OK")

    client.put_metric_data(
        Namespace="app", MetricData=[{"MetricName": "errors", "Value": 5, "Timestamp": datetime.now(UTC)}]
    )

    alarm = _wait_for_state(cloud, "a", "ALARM")
    notice = _received(cloud, mails, what="the notification")
    message = json.loads(notice["Message"])
    event = _received(cloud, bus, what="the event")
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [5.0 (")
    assert alarm["StateReason"].endswith(
        ")] was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert notice["Subject"] == 'ALARM: "a" in US East (N. Virginia)'
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "OK")
    assert message["NewStateReason"] == event["detail"]["state"]["reason"] == alarm["StateReason"]
    assert message["Trigger"]["Statistic"] == "SUM"
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["previousState"]["value"] == "OK"


def test_a_dead_letter_raises_its_alarm(cloud: RunningCloud) -> None:
    """The depth of a queue that an alarm names is measured without anybody putting data; taking the message ends it."""
    sqs, client = cloud.client("sqs"), cloud.client("cloudwatch")
    url, _ = _queue(cloud, "dead-letters")
    client.put_metric_alarm(
        AlarmName="dead",
        **_ALARM
        | {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "dead-letters"}],
            "Statistic": "Maximum",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        },
    )
    _wait_for_state(cloud, "dead", "OK")

    sqs.send_message(QueueUrl=url, MessageBody="lost")
    _wait_for_state(cloud, "dead", "ALARM")
    sqs.purge_queue(QueueUrl=url)

    _wait_for_state(cloud, "dead", "OK")


def test_errors_of_a_function_call_another_function(cloud: RunningCloud) -> None:
    """AWS/Lambda counts a failure; the alarm on it invokes the function that its policy lets CloudWatch invoke."""
    functions, client = cloud.client("lambda"), cloud.client("cloudwatch")
    _function(cloud, "broken", "def handle(event, context):\n    raise ValueError('no')\n")
    action = _function(cloud, "repair", "def handle(event, context):\n    return event['alarmData']['alarmName']\n")
    settings = {
        **_ALARM,
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "broken"}],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [action],
    }
    client.put_metric_alarm(AlarmName="broken", **settings)
    alarm_arn = client.describe_alarms(AlarmNames=["broken"])["MetricAlarms"][0]["AlarmArn"]
    functions.invoke(FunctionName="broken")
    refused = wait_for(lambda: _actions(cloud, "broken"), what="the first action")
    functions.add_permission(
        FunctionName="repair",
        StatementId="alarm",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceArn=alarm_arn,
    )
    _wait_for_state(cloud, "broken", "OK")

    functions.invoke(FunctionName="broken")
    wait_for(lambda: _invocations(cloud, "repair") == 1, what="the function of the action")

    assert "CloudWatch Alarms is not authorized to perform: lambda:InvokeFunction" in refused[0]
    assert _actions(cloud, "broken")[0] == f"Successfully executed action {action}"
    assert _invocations(cloud, "broken") == 2


def _actions(cloud: RunningCloud, name: str) -> list[str]:
    return [text for text in _history(cloud, name) if "action" in text]


def _invocations(cloud: RunningCloud, name: str) -> float:
    now = datetime.now(UTC)
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(hours=1),
        Period=60 * 60 * 24,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_a_topic_that_does_not_let_cloudwatch_publish_gets_nothing(cloud: RunningCloud) -> None:
    """An action without permission is in the alarm's history with the reason, as on AWS."""
    client, sns = cloud.client("cloudwatch"), cloud.client("sns")
    topic = sns.create_topic(Name="closed")["TopicArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    client.put_metric_alarm(AlarmName="a", AlarmActions=[topic], **_ALARM)

    client.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="drill")

    failed = wait_for(lambda: _actions(cloud, "a"), what="the action")
    assert f"not authorized to perform: sns:Publish on resource: {topic}" in failed[0]


def test_metrics_in_log_lines_are_metrics(cloud: RunningCloud) -> None:
    """A log line in the embedded metric format is recorded when it is written, with its dimensions."""
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(time.time() * 1000)
    directive = {"Namespace": "app", "Dimensions": [["stage"]], "Metrics": [{"Name": "rows", "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "stage": "dev", "rows": 7}

    logs.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": "plain"}, {"timestamp": now, "message": json.dumps(line)}],
    )

    assert cloud.client("cloudwatch").list_metrics()["Metrics"] == [
        {"Namespace": "app", "MetricName": "rows", "Dimensions": [{"Name": "stage", "Value": "dev"}]}
    ]


def test_dashboards_are_delegated_and_the_rest_is_refused_by_name(cloud: RunningCloud) -> None:
    """A delegated operation of an owned service is answered by moto, an operation outside the table by nobody."""
    client = cloud.client("cloudwatch")
    client.put_dashboard(DashboardName="d", DashboardBody="{}")

    with pytest.raises(ClientError) as refused:
        client.describe_anomaly_detectors()

    assert client.get_dashboard(DashboardName="d")["DashboardBody"] == "{}"
    assert "cloudwatch:DescribeAnomalyDetectors is not emulated by the local cloud" in str(refused.value)


def test_the_aws_cli_speaks_its_own_protocol(cloud: RunningCloud) -> None:
    """The CLI puts data with a timestamp and reads it back, whatever wire format it uses."""
    now = datetime.now(UTC)
    minute = now.replace(second=0, microsecond=0)
    put = ["put-metric-data", "--namespace", "cli", "--metric-name", "m", "--value", "2.5"]
    put += ["--timestamp", now.isoformat(), "--dimensions", "A=a"]
    get = ["get-metric-statistics", "--namespace", "cli", "--metric-name", "m", "--dimensions", "Name=A,Value=a"]
    get += ["--start-time", minute.isoformat(), "--end-time", (minute + timedelta(minutes=2)).isoformat()]
    get += ["--period", "60", "--statistics", "Average"]

    for arguments in (put, get):
        done = subprocess.run(
            [_AWS_CLI, "cloudwatch", *arguments, "--output", "json"],
            env=cloud.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    assert [point["Average"] for point in json.loads(done.stdout)["Datapoints"]] == [2.5]


def test_composite_alarms_of_a_template(cloud: RunningCloud) -> None:
    """A stack makes a composite alarm after its children, changes it in place, and deletes it before them."""

    def template(description: str, tag: str) -> dict[str, Any]:
        return {
            "Child": resource("AWS::CloudWatch::Alarm", **_ALARM),
            "Parent": resource(
                "AWS::CloudWatch::CompositeAlarm",
                AlarmRule={"Fn::Sub": 'NOT ALARM("${Child.Arn}")'},
                AlarmDescription=description,
                Tags=[{"Key": "k", "Value": tag}],
            ),
        }

    client = cloud.client("cloudwatch")
    ids = deploy(cloud, template("old", "1"))
    again = deploy(cloud, template("new", "2"))
    (parent,) = client.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    tags = client.list_tags_for_resource(ResourceARN=parent["AlarmArn"])["Tags"]

    destroy(cloud)

    assert again == ids
    assert (parent["AlarmName"], parent["AlarmDescription"], parent["StateValue"]) == (ids["Parent"], "new", "ALARM")
    assert tags == [{"Key": "k", "Value": "2"}]
    assert client.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])["MetricAlarms"] == []
