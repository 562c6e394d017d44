"""Which metrics an alarm or a GetMetricData request reads, and the expression over them.

A plan knows how to compute series from measurements that it asks for; where they come from is the caller's matter.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_cloud.cloudwatch.expression_syntax import ExpressionError, Node, names, parse
from local_cloud.cloudwatch.expressions import Environment, Value, check, evaluate
from local_cloud.cloudwatch.metrics import MetricKey, metric_key
from local_cloud.cloudwatch.statistics import check_statistic
from local_cloud.service import RequestContext, ServiceError

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True)
class MetricQuery:
    """One metric with the statistic to take of each period (seconds); `unit` None is any."""

    key: MetricKey
    statistic: str
    period: int
    unit: str | None = None


@dataclass(frozen=True)
class Expression:
    """One expression, parsed."""

    text: str
    tree: Node


@dataclass(frozen=True)
class MetricPlan:
    """Queries by id, in the order in which they were given; `returned` are those whose data is asked for."""

    queries: Mapping[str, MetricQuery | Expression]
    returned: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> Mapping[str, MetricQuery]:
        """The queries that are metrics."""
        return {id: query for id, query in self.queries.items() if isinstance(query, MetricQuery)}

    @property
    def period(self) -> int:
        """The longest period of the metrics, in seconds; 60 if there are none."""
        return max((query.period for query in self.metrics.values()), default=60)

    def values(
        self, ids: Sequence[str], *, read: Callable[[MetricQuery], Mapping[float, float]], timeline: Sequence[float]
    ) -> dict[str, Value]:
        """The values of the queries `ids`, and of all that they are computed from.

        `read` gives a metric's statistic by timestamp. Raises ExpressionError.
        """
        values: dict[str, Value] = {}
        metrics = tuple(self.metrics)
        for id in self._order(ids):
            query = self.queries[id]
            if isinstance(query, MetricQuery):
                values[id] = read(query)
            else:
                values[id] = evaluate(query.tree, Environment(values, timeline, metrics))
        return values

    def _order(self, ids: Sequence[str]) -> list[str]:
        """The ids and those that they need, the needed ones first. Metrics come before all: METRICS() names none."""
        order = dict.fromkeys(self.metrics)

        def visit(id: str) -> None:
            query = self.queries[id]
            if isinstance(query, Expression):
                for needed in sorted(names(query.tree) & self.queries.keys()):
                    visit(needed)
            order.setdefault(id)

        for id in ids:
            visit(id)
        return list(order)


def plan_of_queries(context: RequestContext, queries: Sequence[Mapping[str, Any]], *, parameter: str) -> MetricPlan:
    """The plan of MetricDataQuery structures; raises ServiceError (ValidationError)."""
    parsed: dict[str, MetricQuery | Expression] = {}
    for number, query in enumerate(queries, start=1):
        where = f"{parameter}.member.{number}"
        id = query["Id"]
        if not _ID.fullmatch(id):
            raise _invalid(f"The value {id} for parameter {where}.Id does not match the pattern {_ID.pattern}.")
        if id in parsed:
            raise _invalid(f"The values for parameter id in {parameter} are not unique.")
        if query.get("AccountId", context.account) != context.account:
            raise _not_emulated(f"{where}.AccountId of another account")
        parsed[id] = _query(context, query, where)
    _check_expressions(parsed, parameter)
    labels = {query["Id"]: query["Label"] for query in queries if query.get("Label")}
    returned = tuple(query["Id"] for query in queries if query.get("ReturnData", True))
    return MetricPlan(parsed, returned, labels)


def plan_of_metric(context: RequestContext, params: Mapping[str, Any]) -> MetricPlan:
    """The plan of an alarm on one metric, from the parameters of PutMetricAlarm."""
    stat = params.get("Statistic") or params["ExtendedStatistic"]
    check_statistic(stat, parameter="ExtendedStatistic")
    check_period(params["Period"], parameter="Period")
    return MetricPlan({"m1": _metric(context, params, stat, params["Period"], params.get("Unit"))}, ("m1",))


def check_period(period: int, *, parameter: str) -> None:
    """Raise ServiceError for a period (seconds) that CloudWatch does not aggregate by."""
    if period not in _HIGH_RESOLUTION_PERIODS and period % 60:
        text = f"The parameter {parameter} must be 1, 5, 10, 20, 30 or a multiple of 60; it is {period}."
        raise ServiceError("InvalidParameterValue", text)


def _query(context: RequestContext, query: Mapping[str, Any], where: str) -> MetricQuery | Expression:
    if ("MetricStat" in query) == ("Expression" in query):
        raise _invalid(f"Exactly one of {where}.MetricStat and {where}.Expression must be given.")
    if "Expression" in query:
        try:
            return Expression(query["Expression"], parse(query["Expression"]))
        except ExpressionError as error:
            raise _invalid(f"Error in expression '{query['Id']}': {error}") from None
    given = query["MetricStat"]
    check_statistic(given["Stat"], parameter=f"{where}.MetricStat.Stat")
    check_period(given["Period"], parameter=f"{where}.MetricStat.Period")
    for name in ("Namespace", "MetricName"):
        if not given["Metric"].get(name):
            raise _invalid(f"The parameter {where}.MetricStat.Metric.{name} is required.")
    return _metric(context, given["Metric"], given["Stat"], given["Period"], given.get("Unit"))


def _metric(
    context: RequestContext, metric: Mapping[str, Any], stat: str, period: int, unit: str | None
) -> MetricQuery:
    key = metric_key(
        account=context.account,
        region=context.region,
        namespace=metric["Namespace"],
        metric_name=metric["MetricName"],
        dimensions=dimensions_of(metric.get("Dimensions", ())),
    )
    return MetricQuery(key, stat, period, unit)


def dimensions_of(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Dimension structures as a mapping; raises ServiceError for a name given twice."""
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in given}
    if len(dimensions) < len(given):
        raise ServiceError("InvalidParameterValue", "No duplicates allowed in the dimensions of a metric.")
    return dimensions


def _check_expressions(queries: Mapping[str, MetricQuery | Expression], parameter: str) -> None:
    for id, query in queries.items():
        if not isinstance(query, Expression):
            continue
        try:
            check(query.tree, known=frozenset(queries))
        except ExpressionError as error:
            raise _invalid(f"Error in expression '{id}' of {parameter}: {error}") from None
        if id in _needed_by(id, queries):
            raise _invalid(f"Error in expression '{id}' of {parameter}: it refers to itself")


def _needed_by(id: str, queries: Mapping[str, MetricQuery | Expression]) -> set[str]:
    """Every id that an expression is computed from, over any number of steps."""
    needed: set[str] = set()
    waiting = [id]
    while waiting:
        query = queries[waiting.pop()]
        found = names(query.tree) & queries.keys() if isinstance(query, Expression) else set()
        waiting += found - needed
        needed |= found
    return needed


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _not_emulated(what: str) -> ServiceError:
    return ServiceError("NotImplemented", f"{what} is not emulated by the local cloud.", status=501)
