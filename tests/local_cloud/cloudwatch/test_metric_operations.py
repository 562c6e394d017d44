"""Requests on metrics as data."""

from datetime import timedelta
from typing import Any

import pytest

from tests.local_cloud.cloudwatch.fakes import MIDNIGHT, FakeCloudWatch

_HOUR = {"StartTime": MIDNIGHT - timedelta(minutes=30), "EndTime": MIDNIGHT + timedelta(minutes=30)}
_ONE = {"MetricName": "m", "Value": 1.0}


def _put(cloudwatch: FakeCloudWatch, *data: dict[str, Any], namespace: str = "N") -> None:
    cloudwatch.call("PutMetricData", Namespace=namespace, MetricData=list(data))


def _statistics(cloudwatch: FakeCloudWatch, *names: str, **more: Any) -> list[dict[str, Any]]:
    request = {"Namespace": "N", "MetricName": "m", "Period": 60, **_HOUR, **more}
    points: list[dict[str, Any]] = cloudwatch.call("GetMetricStatistics", Statistics=list(names), **request)[
        "Datapoints"
    ]
    return points


def test_values_counts_and_statistic_sets_add_up(cloudwatch: FakeCloudWatch) -> None:
    """All three forms of a datum end in the same statistics."""
    _put(
        cloudwatch,
        _ONE,
        {"MetricName": "m", "Values": [2.0, 3.0], "Counts": [2.0, 1.0]},
        {"MetricName": "m", "StatisticValues": {"SampleCount": 4, "Sum": 40, "Minimum": 5, "Maximum": 15}},
    )

    (point,) = _statistics(cloudwatch, "SampleCount", "Sum", "Minimum", "Maximum", "Average")

    assert point == {
        "Timestamp": MIDNIGHT,
        "Unit": "None",
        "SampleCount": 8,
        "Sum": 48,
        "Minimum": 1,
        "Maximum": 15,
        "Average": 6,
    }


def test_percentiles_are_left_out_where_they_cannot_be_known(cloudwatch: FakeCloudWatch) -> None:
    """Plain values have percentiles, a statistic set of different values has none."""
    _put(cloudwatch, _ONE)
    _put(cloudwatch, {"MetricName": "s", "StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}})
    request = {"Namespace": "N", "Period": 60, "ExtendedStatistics": ["p50"], **_HOUR}

    (plain,) = cloudwatch.call("GetMetricStatistics", MetricName="m", **request)["Datapoints"]
    (one_set,) = cloudwatch.call("GetMetricStatistics", MetricName="s", **request)["Datapoints"]

    assert plain["ExtendedStatistics"] == {"p50": 1}
    assert "ExtendedStatistics" not in one_set


@pytest.mark.parametrize(
    ("datum", "code", "words"),
    [
        ({"MetricName": "m"}, "MissingParameter", "At least one of the parameters MetricData.member.2.Value"),
        (_ONE | {"Values": [1.0]}, "InvalidParameterCombination", "mutually exclusive"),
        ({"MetricName": "m", "Value": float("nan")}, "InvalidParameterValue", "The value nan"),
        ({"MetricName": "m", "Value": 2.0**361}, "InvalidParameterValue", "is invalid"),
        ({"MetricName": "m", "Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue", "of the same size"),
        ({"MetricName": "m", "Values": []}, "InvalidParameterValue", "between 1 and 150 members"),
        ({"MetricName": "m", "Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue", "greater than zero"),
        (
            {"MetricName": "m", "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterValue",
            "its Minimum is above its Maximum",
        ),
        (_ONE | {"Unit": "Parsecs"}, "ValidationError", "enum value set: [Seconds"),
        (_ONE | {"Timestamp": MIDNIGHT - timedelta(days=15)}, "InvalidParameterValue", "two weeks in the past"),
        (_ONE | {"Timestamp": MIDNIGHT + timedelta(hours=3)}, "InvalidParameterValue", "two hours in the future"),
        (
            _ONE | {"Dimensions": [{"Name": "D", "Value": "1"}, {"Name": "D", "Value": "2"}]},
            "InvalidParameterValue",
            "No duplicates",
        ),
    ],
)
def test_a_wrong_datum_is_refused_and_nothing_is_kept(
    cloudwatch: FakeCloudWatch, datum: dict[str, Any], code: str, words: str
) -> None:
    """One wrong datum refuses the request as AWS does, and the right ones beside it are not recorded either."""
    refused = cloudwatch.refusal("PutMetricData", Namespace="N", MetricData=[_ONE, datum])

    assert refused.code == code
    assert words in refused.message
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


def test_the_namespaces_of_aws_are_not_for_everybody(cloudwatch: FakeCloudWatch) -> None:
    """A namespace that begins with AWS/ is refused; SageMaker's for monitoring, in small letters, is not."""
    refused = cloudwatch.refusal("PutMetricData", Namespace="AWS/SageMaker", MetricData=[_ONE])
    _put(cloudwatch, _ONE, namespace="aws/sagemaker/Endpoints/data-metrics")

    assert refused.message == "The value AWS/SageMaker for parameter Namespace is invalid."


def test_metrics_are_listed_by_name_and_dimension(cloudwatch: FakeCloudWatch) -> None:
    """A dimension filter without a value takes any value."""
    for value in ("1", "2"):
        _put(cloudwatch, _ONE | {"Dimensions": [{"Name": "D", "Value": value}]})
    _put(cloudwatch, _ONE)

    def listed(**filters: Any) -> int:
        return len(cloudwatch.call("ListMetrics", **filters)["Metrics"])

    assert listed() == 3
    assert listed(Dimensions=[{"Name": "D"}]) == 2
    assert listed(Dimensions=[{"Name": "D", "Value": "1"}]) == 1
    assert listed(Namespace="other") == 0


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"Statistics": []}, "ValidationError", "greater than or equal to 1"),
        ({}, "InvalidParameterCombination", "At least one of the parameters Statistics"),
        ({"Statistics": ["Sum"], "Period": 7}, "InvalidParameterValue", "Period must be"),
        ({"Statistics": ["Sum"], "Period": 1}, "InvalidParameterCombination", "up to 3,600 datapoints"),
        ({"Statistics": ["Sum"], "EndTime": MIDNIGHT - timedelta(days=1)}, "InvalidParameterValue", "less than"),
        ({"ExtendedStatistics": ["p200"]}, "InvalidParameterValue", "p200"),
    ],
)
def test_statistics_that_cannot_be_asked_for(
    cloudwatch: FakeCloudWatch, request_: dict[str, Any], code: str, words: str
) -> None:
    """A request for statistics that AWS refuses is refused with what is wrong."""
    plain = {"Namespace": "N", "MetricName": "m", "Period": 60, **_HOUR}
    refused = cloudwatch.refusal("GetMetricStatistics", **plain | request_)

    assert refused.code == code
    assert words in refused.message


def test_metric_data_computes_expressions(cloudwatch: FakeCloudWatch) -> None:
    """Queries that return no data are computed from all the same; the newest value comes first by default."""
    for minute, value in ((0, 6.0), (1, 8.0)):
        moment = MIDNIGHT + timedelta(minutes=minute)
        _put(cloudwatch, {"MetricName": "m", "Value": value, "Timestamp": moment})
    _put(cloudwatch, {"MetricName": "n", "Value": 2.0})
    queries = [
        {"Id": "e2", "Expression": "e1 * 10", "Label": "ratio"},
        {"Id": "e1", "Expression": "m1 / m2", "ReturnData": False},
        {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}},
        {
            "Id": "m2",
            "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "n"}, "Period": 60, "Stat": "Average"},
            "ReturnData": False,
        },
    ]

    ratio, plain = cloudwatch.call("GetMetricData", MetricDataQueries=queries, **_HOUR)["MetricDataResults"]

    assert (ratio["Id"], ratio["Label"], ratio["Values"], ratio["Timestamps"]) == ("e2", "ratio", [30.0], [MIDNIGHT])
    assert (plain["Label"], plain["Values"]) == ("m", [8.0, 6.0])


def test_an_array_gives_a_result_for_each_series(cloudwatch: FakeCloudWatch) -> None:
    """METRICS() without a reduction is as many results as there are metrics; a constant is a straight line."""
    cloudwatch.measure(3)
    stat = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 1800, "Stat": "Sum"}
    queries = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "m2", "MetricStat": stat, "ReturnData": False},
        {"Id": "all", "Expression": "METRICS() + 1"},
        {"Id": "line", "Expression": "5"},
    ]

    results = cloudwatch.call("GetMetricData", MetricDataQueries=queries, **_HOUR)["MetricDataResults"]

    assert [(result["Id"], result["Values"]) for result in results] == [
        ("all", [4.0]),
        ("all", [4.0]),
        ("line", [5.0, 5.0]),
    ]


def test_queries_that_cannot_be_are_refused(cloudwatch: FakeCloudWatch) -> None:
    """A function that is not emulated is named, and two expressions cannot need each other."""
    unknown = [{"Id": "e1", "Expression": "SEARCH('{N}', 'Sum')"}]
    circle = [{"Id": "e1", "Expression": "e2 + 1"}, {"Id": "e2", "Expression": "e1 + 1"}]

    assert "Error in expression 'e1'" in _refusal(cloudwatch, unknown)
    assert "refers to itself" in _refusal(cloudwatch, circle)


def _refusal(cloudwatch: FakeCloudWatch, queries: list[dict[str, str]]) -> str:
    return cloudwatch.refusal("GetMetricData", MetricDataQueries=queries, **_HOUR).message
