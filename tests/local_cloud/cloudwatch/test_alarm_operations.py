"""Requests on alarms: what is refused and in which words, what is listed, and tags."""

from typing import Any

import pytest

from tests.local_cloud.cloudwatch.fakes import TOPIC, FakeCloudWatch

_METRIC = {"Namespace": "N", "MetricName": "m"}
_QUERY = {"Id": "m1", "MetricStat": {"Metric": _METRIC, "Period": 60, "Stat": "Sum"}}
_MATH: dict[str, Any] = {"MetricName": None, "Namespace": None, "Statistic": None, "Period": None}


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"MetricName": None}, "ValidationError", "Exactly one of MetricName and Metrics"),
        ({"Metrics": [_QUERY]}, "ValidationError", "Exactly one of MetricName and Metrics"),
        ({"Period": None}, "ValidationError", "The parameter Period is required"),
        ({"Threshold": None}, "ValidationError", "The parameter Threshold is required"),
        ({"Period": 45}, "InvalidParameterValue", "must be 1, 5, 10, 20, 30 or a multiple of 60"),
        ({"Period": 5}, "ValidationError", "must be 10, 20, 30 or a multiple of 60"),
        ({"ExtendedStatistic": "p90"}, "ValidationError", "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": "Median"}, "ValidationError", "enum value set: [SampleCount, Average"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "NotImplemented", "tm99"),
        ({"DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm must be less than or equal"),
        ({"TreatMissingData": "notbreaching"}, "ValidationError", "notbreaching for TreatMissingData"),
        ({"EvaluationPeriods": 25, "Period": 3540}, "ValidationError", "more than a day"),
        ({"EvaluateLowSampleCountPercentile": "x"}, "ValidationError", "evaluate or ignore"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplemented", "GreaterThanUpperThreshold"),
        ({"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 1}}, "NotImplemented", "WarmUpConfiguration"),
        ({"AlarmActions": ["topic"]}, "ValidationError", "Invalid arn syntax: topic"),
        ({"OKActions": ["arn:aws:ssm:us-east-1:1:opsitem:1"]}, "NotImplemented", "arn:aws:ssm"),
        ({"AlarmActions": [TOPIC] * 6}, "ValidationError", "length less than or equal to 5"),
        (_MATH | {"Metrics": [_QUERY, _QUERY]}, "ValidationError", "not unique"),
        (_MATH | {"Metrics": [_QUERY, _QUERY | {"Id": "m2"}]}, "ValidationError", "Exactly one element"),
        (_MATH | {"Metrics": [{"Id": "e", "Expression": "1"}]}, "ValidationError", "must be a metric"),
        (_MATH | {"Metrics": [{"Id": "e", "Expression": "RATE(e)"}]}, "ValidationError", "the function RATE"),
        (_MATH | {"Metrics": [{"Id": "e", "Expression": "e + 1"}]}, "ValidationError", "refers to itself"),
        (_MATH | {"Metrics": [{"Id": "E", "Expression": "1"}]}, "ValidationError", "does not match the pattern"),
        (_MATH | {"Metrics": [_QUERY], "Unit": "Count"}, "ValidationError", "Unit cannot be given beside Metrics"),
    ],
)
def test_settings_that_cannot_be(cloudwatch: FakeCloudWatch, settings: dict[str, Any], code: str, words: str) -> None:
    """A request that AWS refuses, or that is not emulated, is refused with what is wrong; no alarm is left."""
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the code and the words are compared below
        cloudwatch.put_alarm(**settings)

    assert getattr(refused.value, "code", refused.type) == code
    assert words in str(refused.value)
    assert cloudwatch.call("DescribeAlarms")["MetricAlarms"] == []


def test_a_rule_needs_alarms_that_exist(cloudwatch: FakeCloudWatch) -> None:
    """A composite alarm on an unknown alarm, or with a rule that is none, is refused."""
    unknown = cloudwatch.refusal("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(x) OR OK(y)")
    wrong = cloudwatch.refusal("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(x")

    assert "[x, y] in the alarm rule do not exist" in unknown.message
    assert wrong.code == "ValidationError"
    assert "Error in AlarmRule of c" in wrong.message


def test_a_child_cannot_be_deleted_before_its_parent(cloudwatch: FakeCloudWatch) -> None:
    """Alarms that a composite alarm needs stay, and a request that is refused deletes nothing."""
    for name in ("a", "b"):
        cloudwatch.put_alarm(name)
    cloudwatch.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a)")

    needed = cloudwatch.refusal("DeleteAlarms", AlarmNames=["b", "a"])
    unknown = cloudwatch.refusal("DeleteAlarms", AlarmNames=["b", "z"])
    together = cloudwatch.refusal("DeleteAlarms", AlarmNames=["c", "b"])
    left = _names(cloudwatch)
    cloudwatch.call("DeleteAlarms", AlarmNames=["c"])
    cloudwatch.call("DeleteAlarms", AlarmNames=["a", "b"])

    assert needed.message == "Cannot delete a as there are composite alarm(s) depending on it."
    assert unknown.code == "ResourceNotFound"
    assert "only alarm of a DeleteAlarms request" in together.message
    assert left == ["a", "b", "c"]
    assert _names(cloudwatch) == []


def test_a_name_is_one_kind_of_alarm(cloudwatch: FakeCloudWatch) -> None:
    """A metric alarm cannot become a composite alarm."""
    cloudwatch.put_alarm("a")

    refused = cloudwatch.refusal("PutCompositeAlarm", AlarmName="a", AlarmRule="TRUE")

    assert "is a MetricAlarm" in refused.message


def test_describe_alarms_filters(cloudwatch: FakeCloudWatch) -> None:
    """Without AlarmTypes only metric alarms are listed; filters are combined; parents and children are found."""
    cloudwatch.put_alarm("web-errors", AlarmActions=[TOPIC])
    cloudwatch.put_alarm("web-latency")
    cloudwatch.put_alarm("batch")
    cloudwatch.call("PutCompositeAlarm", AlarmName="web", AlarmRule='ALARM("web-errors") OR ALARM("web-latency")')
    cloudwatch.call("SetAlarmState", AlarmName="web-latency", StateValue="OK", StateReason="drill")

    def listed(**filters: Any) -> list[str]:
        answer = cloudwatch.call("DescribeAlarms", **filters)
        return [alarm["AlarmName"] for alarm in answer["MetricAlarms"] + answer["CompositeAlarms"]]

    assert listed() == ["batch", "web-errors", "web-latency"]
    assert listed(AlarmTypes=["CompositeAlarm"]) == ["web"]
    assert listed(AlarmNamePrefix="web") == ["web-errors", "web-latency"]
    assert listed(AlarmNamePrefix="web", StateValue="OK") == ["web-latency"]
    assert listed(ActionPrefix="arn:aws:sns") == ["web-errors"]
    assert listed(ChildrenOfAlarmName="web") == ["web-errors", "web-latency"]
    assert listed(ParentsOfAlarmName="web-errors") == ["web"]
    assert listed(AlarmNames=["web", "batch"]) == ["batch"]


def test_alarms_come_in_pages(cloudwatch: FakeCloudWatch) -> None:
    """A NextToken goes on where the page ended; one that is none is refused."""
    for number in range(5):
        cloudwatch.put_alarm(f"a{number}")

    first = cloudwatch.call("DescribeAlarms", MaxRecords=3)
    second = cloudwatch.call("DescribeAlarms", MaxRecords=3, NextToken=first["NextToken"])
    wrong = cloudwatch.refusal("DescribeAlarms", NextToken="next please")

    assert [len(first["MetricAlarms"]), len(second["MetricAlarms"])] == [3, 2]
    assert "NextToken" not in second
    assert wrong.code == "InvalidNextToken"


def test_alarms_are_found_by_their_metric(cloudwatch: FakeCloudWatch) -> None:
    """DescribeAlarmsForMetric compares name, namespace, all dimensions and what else is given."""
    cloudwatch.put_alarm("plain")
    cloudwatch.put_alarm("dimension", Dimensions=[{"Name": "D", "Value": "d"}])

    def found(**more: Any) -> list[str]:
        answer = cloudwatch.call("DescribeAlarmsForMetric", **_METRIC, **more)
        return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]

    assert found() == ["plain"]
    assert found(Dimensions=[{"Name": "D", "Value": "d"}]) == ["dimension"]
    assert found(Statistic="Average") == []


def test_tags_belong_to_the_first_put(cloudwatch: FakeCloudWatch) -> None:
    """A put makes tags for a new alarm only; TagResource and UntagResource change them."""
    cloudwatch.put_alarm(Tags=[{"Key": "a", "Value": "1"}])
    cloudwatch.put_alarm(Tags=[{"Key": "b", "Value": "2"}])
    arn = cloudwatch.described()["AlarmArn"]

    before = cloudwatch.call("ListTagsForResource", ResourceARN=arn)["Tags"]
    cloudwatch.call("TagResource", ResourceARN=arn, Tags=[{"Key": "c", "Value": "3"}])
    cloudwatch.call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    unknown = cloudwatch.refusal("ListTagsForResource", ResourceARN=f"{arn}x")

    assert before == [{"Key": "a", "Value": "1"}]
    assert cloudwatch.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "c", "Value": "3"}]
    assert unknown.code == "ResourceNotFoundException"


def test_set_alarm_state_checks_its_data(cloudwatch: FakeCloudWatch) -> None:
    """StateReasonData is JSON, and the alarm exists."""
    cloudwatch.put_alarm()
    state = {"StateValue": "OK", "StateReason": "drill"}

    wrong = cloudwatch.refusal("SetAlarmState", AlarmName="a", StateReasonData="{", **state)
    unknown = cloudwatch.refusal("SetAlarmState", AlarmName="z", **state)

    assert (wrong.code, unknown.code) == ("InvalidFormat", "ResourceNotFound")


def _names(cloudwatch: FakeCloudWatch) -> list[str]:
    answer = cloudwatch.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return sorted(alarm["AlarmName"] for alarm in answer["MetricAlarms"] + answer["CompositeAlarms"])
