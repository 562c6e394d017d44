"""Metric alarms on a clock that the test turns: evaluation, states set by hand, what others are told."""

import json

import pytest

from local_cloud.clock import Clock
from local_cloud.cloudwatch.alarms import Alarms
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.events.bus import EventBus
from tests.local_cloud.cloudwatch.fakes import PLAIN_ALARM, TOPIC, FakeCloudWatch, RecordedActions
from tests.local_cloud.operations import CONTEXT
from tests.waiting import wait_for

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


def test_an_alarm_goes_off_and_comes_back(cloudwatch: FakeCloudWatch) -> None:
    """A breaching minute is an alarm when it is over, and a good minute after it ends the alarm."""
    cloudwatch.put_alarm()
    assert cloudwatch.state() == "INSUFFICIENT_DATA"

    cloudwatch.clock.turn(10)
    cloudwatch.measure(5)
    cloudwatch.after(49)
    during_the_minute = cloudwatch.state()
    cloudwatch.after(1)
    after_the_minute = cloudwatch.described()
    cloudwatch.measure(0)
    cloudwatch.after(60)

    assert during_the_minute == "INSUFFICIENT_DATA"
    assert after_the_minute["StateValue"] == "ALARM"
    assert after_the_minute["StateReason"] == (
        "Threshold Crossed: 1 datapoint [5.0 (01/03/26 00:00:00)] was greater than the threshold (1.0)."
    )
    assert json.loads(after_the_minute["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-03-01T00:01:00.000+0000",
        "startDate": "2026-03-01T00:00:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [5.0],
        "threshold": 1.0,
        "evaluatedDatapoints": [{"timestamp": "2026-03-01T00:00:00.000+0000", "sampleCount": 1.0, "value": 5.0}],
    }
    assert cloudwatch.described()["StateReason"] == (
        "Threshold Crossed: 1 datapoint [0.0 (01/03/26 00:01:00)] was not greater than the threshold (1.0)."
    )


def test_an_alarm_looks_two_periods_further_back(cloudwatch: FakeCloudWatch) -> None:
    """As on AWS, real data goes before missing data, so an alarm outlives its only datapoint by two periods."""
    cloudwatch.put_alarm(TreatMissingData="notBreaching")
    cloudwatch.measure(5)
    states = []
    for _ in range(4):
        cloudwatch.after(60)
        states.append(cloudwatch.state())

    assert states == ["ALARM", "ALARM", "ALARM", "OK"]


def test_a_minute_is_scaled(quick_cloudwatch: FakeCloudWatch) -> None:
    """On a clock of scale 0.01 a period of 60 s is over after 0.6 s, and one of 300 s after 3 s."""
    quick_cloudwatch.put_alarm("minute")
    quick_cloudwatch.put_alarm("five minutes", Period=300, EvaluationPeriods=2)
    quick_cloudwatch.measure(5)

    quick_cloudwatch.after(0.59)
    before = quick_cloudwatch.state("minute")
    quick_cloudwatch.after(0.01)
    minute, five = quick_cloudwatch.state("minute"), quick_cloudwatch.state("five minutes")
    quick_cloudwatch.clock.turn(2.5)
    quick_cloudwatch.measure(5)
    quick_cloudwatch.after(0.5)

    assert (before, minute, five) == ("INSUFFICIENT_DATA", "ALARM", "INSUFFICIENT_DATA")
    assert quick_cloudwatch.state("five minutes") == "ALARM"


def test_m_out_of_n_is_explained_as_aws_explains_it(cloudwatch: FakeCloudWatch) -> None:
    """With DatapointsToAlarm the reason counts the breaching datapoints, newest first, and the filled ones."""
    cloudwatch.put_alarm(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    cloudwatch.measure(7)
    cloudwatch.after(60)
    one = cloudwatch.state()
    cloudwatch.measure(8)
    cloudwatch.after(60)
    two = cloudwatch.described()
    for _ in range(4):
        cloudwatch.after(60)

    assert one == "OK"
    assert two["StateReason"] == (
        "Threshold Crossed: 2 out of the last 3 datapoints [8.0 (01/03/26 00:01:00), 7.0 (01/03/26 00:00:00)] were "
        "greater than the threshold (1.0) and 1 missing datapoint was treated as [NonBreaching] "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert cloudwatch.described()["StateReason"] == (
        "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as "
        "[NonBreaching]."
    )


@pytest.mark.parametrize(
    ("treatment", "state", "reason"),
    [
        ("missing", "INSUFFICIENT_DATA", "Insufficient Data: 2 datapoints were unknown."),
        ("ignore", "ALARM", "Threshold Crossed: 2 datapoints ["),
        (
            "breaching",
            "ALARM",
            "Threshold Crossed: 1 datapoint [5.0 (01/03/26 00:00:00)] was greater than the threshold (1.0) and 1 "
            "missing datapoint was treated as [Breaching].",
        ),
        (
            "notBreaching",
            "OK",
            "Threshold Crossed: 1 datapoint was received for 2 periods and 1 missing datapoint was treated as "
            "[NonBreaching].",
        ),
    ],
)
def test_an_alarm_whose_data_ends(cloudwatch: FakeCloudWatch, treatment: str, state: str, reason: str) -> None:
    """Once nothing is left in the evaluation range, TreatMissingData decides what becomes of an alarm."""
    cloudwatch.put_alarm(EvaluationPeriods=2, TreatMissingData=treatment)
    for _ in range(2):
        cloudwatch.measure(5)
        cloudwatch.after(60)
    before = cloudwatch.state()
    for _ in range(4):
        cloudwatch.after(60)

    assert before == "ALARM"
    assert cloudwatch.state() == state
    assert cloudwatch.described()["StateReason"].startswith(reason)


def test_a_ratio_is_watched_with_metric_math(cloudwatch: FakeCloudWatch) -> None:
    """An alarm on errors / requests goes off by the ratio, not by the numbers."""
    queries = [
        {"Id": id, "ReturnData": False, "MetricStat": {"Metric": _metric(name), "Period": 60, "Stat": "Sum"}}
        for id, name in (("errors", "e"), ("requests", "r"))
    ]
    cloudwatch.call(
        "PutMetricAlarm",
        AlarmName="a",
        EvaluationPeriods=1,
        Threshold=0.1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        Metrics=[*queries, {"Id": "ratio", "Expression": "FILL(errors, 0) / requests"}],
    )
    states = []
    for errors, requests in [(5, 100), (0, 0), (2, 10)]:
        cloudwatch.measure(errors, name="e")
        cloudwatch.measure(requests, name="r")
        cloudwatch.after(60)
        states.append(cloudwatch.state())

    assert states == ["OK", "OK", "ALARM"]
    assert "[0.2 (01/03/26 00:02:00)] was greater than" in cloudwatch.described()["StateReason"]
    assert cloudwatch.published[-1]["detail"]["configuration"]["metrics"][2] == {
        "id": "ratio",
        "expression": "FILL(errors, 0) / requests",
        "returnData": True,
    }


def test_a_percentile_can_wait_for_enough_samples(cloudwatch: FakeCloudWatch) -> None:
    """With EvaluateLowSampleCountPercentile=ignore a p90 of fewer than 100 samples changes nothing."""
    percentile = {"Statistic": None, "ExtendedStatistic": "p90"}
    cloudwatch.put_alarm("patient", EvaluateLowSampleCountPercentile="ignore", **percentile)
    cloudwatch.put_alarm("hasty", **percentile)
    for _ in range(99):
        cloudwatch.measure(5)
    cloudwatch.after(60)
    few = cloudwatch.state("patient"), cloudwatch.state("hasty")
    for _ in range(100):
        cloudwatch.measure(5)
    cloudwatch.after(60)

    assert few == ("INSUFFICIENT_DATA", "ALARM")
    assert cloudwatch.state("patient") == "ALARM"


def test_dimensions_and_units_are_part_of_what_is_watched(cloudwatch: FakeCloudWatch) -> None:
    """Data of another dimension or another unit does not reach an alarm."""
    cloudwatch.put_alarm("other", Dimensions=[{"Name": "D", "Value": "x"}], TreatMissingData="notBreaching")
    cloudwatch.put_alarm("unit", Unit="Seconds", TreatMissingData="notBreaching")
    cloudwatch.put_alarm("same")
    cloudwatch.measure(5)

    cloudwatch.after(60)

    assert [cloudwatch.state(name) for name in ("other", "unit", "same")] == ["OK", "OK", "ALARM"]


def test_a_state_set_by_hand_lasts_until_a_whole_period_was_evaluated(cloudwatch: FakeCloudWatch) -> None:
    """SetAlarmState tells others at once; the metric takes over after one minute at least, two at most."""
    cloudwatch.put_alarm(TreatMissingData="notBreaching", AlarmActions=[TOPIC])
    cloudwatch.after(60)
    cloudwatch.clock.turn(59)

    cloudwatch.call("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="a drill")
    cloudwatch.after(1)
    by_hand = cloudwatch.described()
    cloudwatch.after(60)

    assert (by_hand["StateValue"], by_hand["StateReason"]) == ("ALARM", "a drill")
    assert "StateReasonData" not in by_hand
    assert cloudwatch.actions.called == [(TOPIC, "ALARM")]
    assert cloudwatch.state() == "OK"


def test_the_event_has_the_shape_of_aws(cloudwatch: FakeCloudWatch) -> None:
    """A change of state is one event on the default bus, with both states and the configuration."""
    cloudwatch.put_alarm(AlarmDescription="too many", Dimensions=[{"Name": "D", "Value": "d"}])
    cloudwatch.measure(5, D="d")
    cloudwatch.after(60)

    (event,) = cloudwatch.published
    detail = event["detail"]
    (metric,) = detail["configuration"].pop("metrics")

    assert (event["source"], event["detail-type"]) == ("aws.cloudwatch", "CloudWatch Alarm State Change")
    assert event["resources"] == [f"{ARN}a"]
    assert detail["alarmName"] == "a"
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["timestamp"] == "2026-03-01T00:01:00.000+0000"
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [5.0]
    assert detail["previousState"] == {
        "value": "INSUFFICIENT_DATA",
        "reason": "Unchecked: Initial alarm creation",
        "timestamp": "2026-03-01T00:00:00.000+0000",
    }
    assert detail["configuration"] == {"description": "too many"}
    assert metric["metricStat"] == {
        "metric": {"namespace": "N", "name": "m", "dimensions": {"D": "d"}},
        "period": 60,
        "stat": "Sum",
    }


def test_actions_follow_changes_of_state_only(cloudwatch: FakeCloudWatch) -> None:
    """An alarm that stays in its state calls nothing; each state has its own actions; disabled ones are not called."""
    actions = {name: [f"{TOPIC}-{name}"] for name in ("AlarmActions", "OKActions", "InsufficientDataActions")}
    cloudwatch.put_alarm(**actions)
    cloudwatch.call("SetAlarmState", AlarmName="a", StateValue="INSUFFICIENT_DATA", StateReason="as it was")
    for value in (5, 6, 0, 0):
        cloudwatch.clock.turn(60)
        cloudwatch.measure(value)
        cloudwatch.after(60)
    cloudwatch.call("DisableAlarmActions", AlarmNames=["a"])
    cloudwatch.measure(5)
    cloudwatch.after(60)

    assert cloudwatch.actions.called == [(f"{TOPIC}-AlarmActions", "ALARM"), (f"{TOPIC}-OKActions", "OK")]
    assert cloudwatch.state() == "ALARM"
    assert cloudwatch.described()["ActionsEnabled"] is False


def test_an_action_that_fails_is_in_the_history(cloudwatch: FakeCloudWatch) -> None:
    """The history tells, newest first, what was done, what was not and why."""
    cloudwatch.actions.failing.add(TOPIC)
    cloudwatch.put_alarm(AlarmActions=[TOPIC, f"{TOPIC}2"])
    cloudwatch.measure(5)
    cloudwatch.after(60)

    history = cloudwatch.call("DescribeAlarmHistory", AlarmName="a")["AlarmHistoryItems"]
    changes = cloudwatch.call("DescribeAlarmHistory", AlarmName="a", HistoryItemType="StateUpdate")

    assert [item["HistorySummary"] for item in history] == [
        f"Successfully executed action {TOPIC}2",
        f'Failed to execute action {TOPIC}. Received error: "no permission"',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "a" created',
    ]
    assert json.loads(changes["AlarmHistoryItems"][0]["HistoryData"])["newState"]["stateValue"] == "ALARM"


def test_an_update_keeps_the_state_and_takes_effect_at_once(cloudwatch: FakeCloudWatch) -> None:
    """PutMetricAlarm on a known name replaces the settings, not the state, and the next evaluation uses them."""
    cloudwatch.put_alarm(AlarmDescription="old")
    cloudwatch.measure(5)
    cloudwatch.after(60)

    cloudwatch.put_alarm(Threshold=10.0)
    kept = cloudwatch.described()
    cloudwatch.after(0)

    assert (kept["StateValue"], kept["Threshold"], "AlarmDescription" in kept) == ("ALARM", 10.0, False)
    assert cloudwatch.state() == "OK"


def test_an_alarm_on_a_queue_measures_the_queue(cloudwatch: FakeCloudWatch) -> None:
    """The depth of a queue that an alarm names is looked up at every evaluation; a queue that is gone is no data."""
    cloudwatch.depths = {"dead-letters": {"ApproximateNumberOfMessagesVisible": 0}}
    cloudwatch.put_alarm(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead-letters"}],
        Statistic="Maximum",
        TreatMissingData="missing",
    )
    cloudwatch.after(30)
    cloudwatch.after(60)
    empty = cloudwatch.state()
    cloudwatch.depths["dead-letters"]["ApproximateNumberOfMessagesVisible"] = 3
    cloudwatch.after(30)
    cloudwatch.after(60)
    full = cloudwatch.state()
    cloudwatch.depths.clear()
    for _ in range(5):
        cloudwatch.after(60)

    assert (empty, full, cloudwatch.state()) == ("OK", "ALARM", "INSUFFICIENT_DATA")


def test_a_reset_forgets_everything(cloudwatch: FakeCloudWatch) -> None:
    """No alarm, no metric and no history is left."""
    cloudwatch.put_alarm()
    cloudwatch.measure(5)
    cloudwatch.after(60)

    cloudwatch.engine.reset()

    assert cloudwatch.state() is None
    assert cloudwatch.call("ListMetrics")["Metrics"] == []
    assert cloudwatch.call("DescribeAlarmHistory")["AlarmHistoryItems"] == []


def test_alarms_evaluate_themselves_until_they_are_closed() -> None:
    """With the real clock an alarm goes off without anybody asking, and no thread is left after close."""
    clock = Clock(scale=0.001)
    metrics = MetricStore(clock)
    alarms = Alarms(metrics=metrics, clock=clock, events=EventBus(clock, lambda *_: None), actions=RecordedActions())
    operations = CloudWatch(metrics=metrics, alarms=alarms, clock=clock).service().operations
    put = operations["PutMetricAlarm"].handler
    assert put is not None
    put(CONTEXT, {"AlarmName": "a", **PLAIN_ALARM})
    metrics.record(
        account=CONTEXT.account, region=CONTEXT.region, namespace="N", metric_name="m", dimensions={}, value=5
    )

    wait_for(lambda: alarms.state_of(CONTEXT.account, CONTEXT.region, "a") == "ALARM", what="the alarm")
    alarms.close()

    assert alarms._pacemaker._thread is not None
    assert not alarms._pacemaker._thread.is_alive()


def _metric(name: str) -> dict[str, str]:
    return {"Namespace": "N", "MetricName": name}
