"""CloudWatch's operations on metrics as data: put, list, and statistics by period. Periods are not scaled here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local_cloud.clock import Clock
from local_cloud.cloudwatch.expression_syntax import ExpressionError
from local_cloud.cloudwatch.expressions import Value
from local_cloud.cloudwatch.metric_plan import (
    Expression,
    MetricPlan,
    MetricQuery,
    check_period,
    dimensions_of,
    plan_of_queries,
)
from local_cloud.cloudwatch.metrics import MetricKey, MetricStore, metric_key
from local_cloud.cloudwatch.paging import page
from local_cloud.cloudwatch.statistics import Summary, check_statistic, statistic
from local_cloud.service import Operation, RequestContext, ServiceError

_MOST_DATA, _MOST_VALUES, _MOST_DATAPOINTS = 1000, 150, 1440
_LIST_PAGE = 500
_LARGEST = 2.0**360
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)


class MetricOperations:
    """The handlers over the store."""

    def __init__(self, *, metrics: MetricStore, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def operations(self) -> dict[str, Operation]:
        """The operation table."""
        return {
            "PutMetricData": Operation(self._put_metric_data),
            "ListMetrics": Operation(self._list_metrics),
            "GetMetricStatistics": Operation(self._get_metric_statistics, note="percentiles by nearest rank"),
            "GetMetricData": Operation(
                self._get_metric_data, note="metric math with the functions that the error for any other lists"
            ),
        }

    def _put_metric_data(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        namespace, data = params["Namespace"], params.get("MetricData", [])
        if namespace.startswith("AWS/"):
            raise _bad_value(f"The value {namespace} for parameter Namespace is invalid.")
        if params.get("EntityMetricData"):
            raise ServiceError("NotImplemented", "EntityMetricData is not emulated by the local cloud.", status=501)
        if not data:
            raise ServiceError("MissingParameter", "The parameter MetricData is required.")
        if len(data) > _MOST_DATA:
            raise _bad_value(f"The collection MetricData must not have a size greater than {_MOST_DATA}.")
        checked = [self._datum(datum, f"MetricData.member.{number}") for number, datum in enumerate(data, start=1)]
        for datum in checked:
            self._metrics.record(account=context.account, region=context.region, namespace=namespace, **datum)
        return {}

    def _datum(self, datum: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The arguments for `MetricStore.record` that a MetricDatum means; raises ServiceError."""
        given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
        if not given:
            text = f"At least one of the parameters {where}.Value, Values and StatisticValues must be specified."
            raise ServiceError("MissingParameter", text)
        if len(given) > 1:
            text = f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive."
            raise ServiceError("InvalidParameterCombination", text)
        timestamp = datum.get("Timestamp")
        if timestamp is not None:
            self._check_timestamp(timestamp, where)
        return _measured(datum, where) | {
            "metric_name": datum["MetricName"],
            "dimensions": dimensions_of(datum.get("Dimensions", ())),
            "timestamp": timestamp,
            "unit": datum.get("Unit", "None"),
        }

    def _check_timestamp(self, timestamp: datetime, where: str) -> None:
        now = self._clock.now()
        if not now - _OLDEST <= timestamp <= now + _NEWEST:
            text = f"The parameter {where}.Timestamp must be within two weeks in the past and two hours in the future."
            raise _bad_value(text)

    def _list_metrics(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        keys = self._metrics.keys(account=context.account, region=context.region)
        found = [_described(key) for key in keys if _listed(key, params)]
        part, more = page(found, token=params.get("NextToken"), size=_LIST_PAGE)
        return {"Metrics": list(part)} | more

    def _get_metric_statistics(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        names = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        _check_statistics_request(params, names)
        key = metric_key(
            account=context.account,
            region=context.region,
            namespace=params["Namespace"],
            metric_name=params["MetricName"],
            dimensions=dimensions_of(params.get("Dimensions", ())),
        )
        found = self._metrics.query(
            key, start=params["StartTime"], end=params["EndTime"], period=params["Period"], unit=params.get("Unit")
        )
        datapoints = [
            {"Timestamp": point.timestamp, "Unit": point.unit} | _statistics(point.summary, *names) for point in found
        ]
        return {"Label": params["MetricName"], "Datapoints": datapoints}

    def _get_metric_data(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        if params["StartTime"] >= params["EndTime"]:
            raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
        plan = plan_of_queries(context, params["MetricDataQueries"], parameter="MetricDataQueries")
        start, end = params["StartTime"], params["EndTime"]

        def read(query: MetricQuery) -> dict[float, float]:
            bins = self._metrics.query(query.key, start=start, end=end, period=query.period, unit=query.unit)
            return _series([(point.timestamp.timestamp(), point.summary) for point in bins], query.statistic)

        timeline = _timeline(start, end, plan.period)
        try:
            values = plan.values(plan.returned, read=read, timeline=timeline)
        except ExpressionError as error:
            raise _invalid(f"Error in expression: {error}") from None
        newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = [
            _result(plan, id, part, timeline=timeline, newest_first=newest_first, start=start)
            for id in plan.returned
            for part in _parts(values[id])
        ]
        return {"MetricDataResults": results, "Messages": []}


def _measured(datum: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "Value" in datum:
        return {"value": _number(datum["Value"], f"{where}.Value")}
    if "Values" in datum:
        values, counts = datum["Values"], datum.get("Counts", [1.0] * len(datum["Values"]))
        if len(values) != len(counts):
            raise _bad_value(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
        if not 1 <= len(values) <= _MOST_VALUES:
            raise _bad_value(f"The collection {where}.Values must have between 1 and {_MOST_VALUES} members.")
        if any(count <= 0 for count in counts):
            raise _bad_value(f"The values of {where}.Counts must be greater than zero.")
        return {
            "values": [_number(value, f"{where}.Values") for value in values],
            "counts": [_number(count, f"{where}.Counts") for count in counts],
        }
    given = datum["StatisticValues"]
    count, total, low, high = (
        _number(given[name], f"{where}.StatisticValues.{name}") for name in ("SampleCount", "Sum", "Minimum", "Maximum")
    )
    if count <= 0 or low > high:
        raise _bad_value(f"The parameter {where}.StatisticValues has no samples, or its Minimum is above its Maximum.")
    return {"statistics": Summary(count, total, low, high)}


def _number(value: float, parameter: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise _bad_value(f"The value {value} for parameter {parameter} is invalid.")
    return float(value)


def _listed(key: MetricKey, params: Mapping[str, Any]) -> bool:
    """Whether a metric passes the filters of ListMetrics; a DimensionFilter may leave the value open."""
    dimensions = dict(key.dimensions)
    return (
        params.get("Namespace", key.namespace) == key.namespace
        and params.get("MetricName", key.name) == key.name
        and all(
            wanted["Name"] in dimensions and wanted.get("Value") in (None, dimensions[wanted["Name"]])
            for wanted in params.get("Dimensions", ())
        )
    )


def _described(key: MetricKey) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}


def _check_statistics_request(params: Mapping[str, Any], names: tuple[Sequence[str], Sequence[str]]) -> None:
    if not any(names):
        text = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        raise ServiceError("InvalidParameterCombination", text)
    for name in names[1]:
        check_statistic(name, parameter="ExtendedStatistics")
    check_period(params["Period"], parameter="Period")
    if params["StartTime"] >= params["EndTime"]:
        raise _bad_value("The parameter StartTime must be less than the parameter EndTime.")
    amount = math.ceil((params["EndTime"] - params["StartTime"]).total_seconds() / params["Period"])
    if amount > _MOST_DATAPOINTS:
        text = (
            f"You have requested up to {amount:,} datapoints, which exceeds the limit of {_MOST_DATAPOINTS:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise ServiceError("InvalidParameterCombination", text)


def _statistics(summary: Summary, plain: Sequence[str], extended: Sequence[str]) -> dict[str, Any]:
    percentiles = {name: value for name in extended if (value := statistic(summary, name)) is not None}
    return {name: statistic(summary, name) for name in plain} | (
        {"ExtendedStatistics": percentiles} if percentiles else {}
    )


def _series(points: Sequence[tuple[float, Summary]], name: str) -> dict[float, float]:
    """A statistic by timestamp, measurements of all units together."""
    values = {moment: statistic(summary, name) for moment, summary in points}
    return {moment: value for moment, value in values.items() if value is not None}


def _timeline(start: datetime, end: datetime, period: int) -> list[float]:
    first = math.floor(start.timestamp() / period) * period
    return [float(moment) for moment in range(first, math.ceil(end.timestamp()), period)]


def _parts(value: Value) -> Sequence[Value]:
    return value if isinstance(value, tuple) else (value,)


def _result(
    plan: MetricPlan, id: str, value: Value, *, timeline: Sequence[float], newest_first: bool, start: datetime
) -> dict[str, Any]:
    """One MetricDataResult; a constant is given at every timestamp."""
    query = plan.queries[id]
    default = id if isinstance(query, Expression) else query.key.name
    series = value if isinstance(value, Mapping) else dict.fromkeys(timeline, value)
    moments = sorted(series, reverse=newest_first)
    return {
        "Id": id,
        "Label": plan.labels.get(id, default),
        "Timestamps": [datetime.fromtimestamp(moment, start.tzinfo) for moment in moments],
        "Values": [series[moment] for moment in moments],
        "StatusCode": "Complete",
    }


def _bad_value(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
