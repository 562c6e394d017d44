"""Composite alarms: they follow the alarms of their rules."""

import json

from tests.local_cloud.cloudwatch.fakes import TOPIC, FakeCloudWatch

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


def test_a_composite_alarm_follows_its_children(cloudwatch: FakeCloudWatch) -> None:
    """It is decided when it is put and whenever a child changes, and it names the child that decided."""
    for name in ("b", "c"):
        cloudwatch.put_alarm(name, TreatMissingData="notBreaching")
    cloudwatch.call(
        "PutCompositeAlarm",
        AlarmName="a",
        AlarmRule=f'ALARM("{ARN}b") AND NOT ALARM(c)',
        AlarmActions=[TOPIC],
    )
    at_first = cloudwatch.described()["StateReason"]
    cloudwatch.call("SetAlarmState", AlarmName="b", StateValue="ALARM", StateReason="drill")
    on = cloudwatch.described()
    cloudwatch.call("SetAlarmState", AlarmName="c", StateValue="ALARM", StateReason="drill")
    cloudwatch.told()

    assert at_first == f"{ARN}a was created and its alarm rule evaluates to OK"
    assert on["StateValue"] == "ALARM"
    assert on["StateReason"] == f"{ARN}b transitioned to ALARM at Sunday 01 March, 2026 00:00:00 UTC"
    assert json.loads(on["StateReasonData"])["triggeringAlarms"][0]["arn"] == f"{ARN}b"
    assert cloudwatch.state() == "OK"
    assert cloudwatch.actions.called == [(TOPIC, "ALARM")]


def test_composite_alarms_stand_on_composite_alarms(cloudwatch: FakeCloudWatch) -> None:
    """A change goes up level by level, and every level tells it once."""
    cloudwatch.put_alarm("leaf", TreatMissingData="notBreaching")
    cloudwatch.call("PutCompositeAlarm", AlarmName="middle", AlarmRule="ALARM(leaf)")
    cloudwatch.call("PutCompositeAlarm", AlarmName="top", AlarmRule="ALARM(middle)")
    cloudwatch.told()
    cloudwatch.published.clear()

    cloudwatch.call("SetAlarmState", AlarmName="leaf", StateValue="ALARM", StateReason="drill")
    cloudwatch.told()

    assert [event["detail"]["alarmName"] for event in cloudwatch.published] == ["leaf", "middle", "top"]


def test_rules_that_go_round_in_a_circle_do_not_hang(cloudwatch: FakeCloudWatch) -> None:
    """Two composite alarms that contradict each other come to an end."""
    cloudwatch.put_alarm("leaf", TreatMissingData="notBreaching")
    for name in ("x", "y"):
        cloudwatch.call("PutCompositeAlarm", AlarmName=name, AlarmRule="ALARM(leaf)")
    cloudwatch.call("PutCompositeAlarm", AlarmName="x", AlarmRule="ALARM(leaf) OR ALARM(y)")
    cloudwatch.call("PutCompositeAlarm", AlarmName="y", AlarmRule="ALARM(leaf) OR NOT ALARM(x)")

    cloudwatch.call("SetAlarmState", AlarmName="leaf", StateValue="ALARM", StateReason="drill")
    cloudwatch.call("SetAlarmState", AlarmName="leaf", StateValue="OK", StateReason="drill")
    cloudwatch.told()

    assert cloudwatch.state("x") in ("OK", "ALARM")
