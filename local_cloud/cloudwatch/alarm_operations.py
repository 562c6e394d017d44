"""CloudWatch's operations on alarms: requests checked as AWS checks them, answers in its shapes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.clock import Clock
from local_cloud.cloudwatch.alarm import COMPOSITE_ALARM, METRIC_ALARM, Alarm
from local_cloud.cloudwatch.alarm_rules import alarms as alarms_in
from local_cloud.cloudwatch.alarm_settings import alarm_settings, composite_rule, metric_condition
from local_cloud.cloudwatch.alarms import Alarms, new_alarm
from local_cloud.cloudwatch.book import AlarmBook, HistoryItem, alarm_name
from local_cloud.cloudwatch.evaluation import State
from local_cloud.cloudwatch.paging import page
from local_cloud.service import Operation, RequestContext, ServiceError

_DEFAULT_PAGE = 50
_OTHER_FILTERS = ("AlarmNames", "AlarmNamePrefix", "StateValue", "ActionPrefix", "ChildrenOfAlarmName")
_SETTINGS_NOTE = "on one metric or on metric math; no anomaly detection, PromQL, warm-up or wall-clock windows"


class AlarmOperations:
    """The handlers over the alarms."""

    def __init__(self, *, alarms: Alarms, clock: Clock) -> None:
        self._alarms = alarms
        self._clock = clock

    def operations(self) -> dict[str, Operation]:
        """The operation table."""
        return {
            "PutMetricAlarm": Operation(self._put_metric_alarm, note=_SETTINGS_NOTE),
            "PutCompositeAlarm": Operation(self._put_composite_alarm, note="without AT_LEAST and action suppressors"),
            "DescribeAlarms": Operation(self._describe_alarms),
            "DescribeAlarmsForMetric": Operation(self._describe_alarms_for_metric),
            "DescribeAlarmHistory": Operation(self._describe_alarm_history),
            "SetAlarmState": Operation(self._set_alarm_state, note="held for one scaled minute at least"),
            "DeleteAlarms": Operation(self._delete_alarms),
            "EnableAlarmActions": Operation(self._switch_actions(enabled=True)),
            "DisableAlarmActions": Operation(self._switch_actions(enabled=False)),
            "ListTagsForResource": Operation(self._list_tags, note="of alarms"),
            "TagResource": Operation(self._tag, note="of alarms"),
            "UntagResource": Operation(self._untag, note="of alarms"),
        }

    def _put_metric_alarm(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        condition = metric_condition(context, params)
        settings = alarm_settings(params)
        if "MetricName" in settings:
            settings.setdefault("Dimensions", [])
        self._put(
            context,
            params,
            new_alarm(
                context,
                settings=settings,
                condition=condition,
                actions_enabled=params.get("ActionsEnabled", True),
                clock=self._clock,
            ),
        )
        return {}

    def _put_composite_alarm(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        rule = composite_rule(params)
        with self._alarms.book(context) as book:
            missing = [name for name in map(alarm_name, alarms_in(rule)) if name not in book.alarms]
        if missing:
            text = f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
            raise _invalid(text)
        self._put(
            context,
            params,
            new_alarm(
                context,
                settings=alarm_settings(params),
                condition=rule,
                actions_enabled=params.get("ActionsEnabled", True),
                clock=self._clock,
            ),
        )
        return {}

    def _put(self, context: RequestContext, params: Mapping[str, Any], alarm: Alarm) -> None:
        with self._alarms.book(context) as book:
            known = book.alarms.get(alarm.name)
            if known and known.kind != alarm.kind:
                raise _invalid(f"The alarm {alarm.name} exists already and is a {known.kind}.")
            if known is None:
                # Tags of an alarm that exists are changed by TagResource only.
                book.tags[alarm.name] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
            self._alarms.put(context, alarm)

    def _describe_alarms(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        kinds = params.get("AlarmTypes") or [METRIC_ALARM]
        if "ParentsOfAlarmName" in params and (other := [name for name in _OTHER_FILTERS if name in params]):
            raise _invalid(f"ParentsOfAlarmName cannot be given beside {other[0]}.")
        with self._alarms.book(context) as book:
            found = [alarm for alarm in book.alarms.values() if _matches(book, alarm, params)]
        if "ParentsOfAlarmName" in params or "ChildrenOfAlarmName" in params:
            kinds = [METRIC_ALARM, COMPOSITE_ALARM]
        chosen = sorted((alarm for alarm in found if alarm.kind in kinds), key=lambda alarm: alarm.name)
        part, more = page(chosen, token=params.get("NextToken"), size=params.get("MaxRecords", _DEFAULT_PAGE))
        return {
            "MetricAlarms": [alarm.described() for alarm in part if alarm.kind == METRIC_ALARM],
            "CompositeAlarms": [alarm.described() for alarm in part if alarm.kind == COMPOSITE_ALARM],
        } | more

    def _describe_alarms_for_metric(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        with self._alarms.book(context) as book:
            alarms = list(book.alarms.values())
        return {"MetricAlarms": [alarm.described() for alarm in alarms if _watches(alarm, params)]}

    def _describe_alarm_history(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        kinds = params.get("AlarmTypes") or [METRIC_ALARM]
        with self._alarms.book(context) as book:
            items = [item for item in book.history if _asked(item, params, kinds)]
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        part, more = page(items, token=params.get("NextToken"), size=params.get("MaxRecords", _DEFAULT_PAGE))
        return {"AlarmHistoryItems": [item.described() for item in part]} | more

    def _set_alarm_state(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        data = params.get("StateReasonData")
        if data is not None:
            _check_json(data)
        with self._alarms.book(context) as book:
            _known(book, params["AlarmName"])
            value = State(params["StateValue"])
            self._alarms.set_state(context, params["AlarmName"], value=value, reason=params["StateReason"], data=data)
        return {}

    def _delete_alarms(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        names = list(dict.fromkeys(params["AlarmNames"]))
        with self._alarms.book(context) as book:
            alarms = [_known(book, name) for name in names]
            if len(names) > 1 and any(alarm.kind == COMPOSITE_ALARM for alarm in alarms):
                raise _invalid("A composite alarm must be the only alarm of a DeleteAlarms request.")
            for name in names:
                if book.parents(name):
                    text = f"Cannot delete {name} as there are composite alarm(s) depending on it."
                    raise _invalid(text)
            for name in names:
                self._alarms.remove(context, name)
        return {}

    def _switch_actions(self, *, enabled: bool) -> Callable[[RequestContext, dict[str, Any]], dict[str, Any]]:
        def switch(context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
            for name in params["AlarmNames"]:
                self._alarms.enable_actions(context, name, enabled=enabled)
            return {}

        return switch

    def _list_tags(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        with self._alarms.book(context) as book:
            tags = _tags(book, params["ResourceARN"])
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        with self._alarms.book(context) as book:
            _tags(book, params["ResourceARN"]).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def _untag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        with self._alarms.book(context) as book:
            tags = _tags(book, params["ResourceARN"])
            for key in params["TagKeys"]:
                tags.pop(key, None)
        return {}


def _matches(book: AlarmBook, alarm: Alarm, params: Mapping[str, Any]) -> bool:
    """Whether an alarm passes every filter of DescribeAlarms."""
    tests: Mapping[str, Callable[[Any], bool]] = {
        "AlarmNames": lambda given: alarm.name in given,
        "AlarmNamePrefix": alarm.name.startswith,
        "StateValue": lambda given: alarm.state.value.value == given,
        "ActionPrefix": lambda given: any(arn.startswith(given) for arn in alarm.all_actions()),
        "ChildrenOfAlarmName": lambda given: alarm.name in _children(book, given),
        "ParentsOfAlarmName": lambda given: given in book.children(alarm),
    }
    return all(test(params[name]) for name, test in tests.items() if params.get(name))


def _children(book: AlarmBook, name: str) -> tuple[str, ...]:
    parent = book.alarms.get(name)
    return book.children(parent) if parent else ()


def _watches(alarm: Alarm, params: Mapping[str, Any]) -> bool:
    settings = alarm.settings
    same = all(settings.get(name) == params[name] for name in ("MetricName", "Namespace"))
    narrowed = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    return (
        same
        and all(settings.get(name) == params[name] for name in narrowed if name in params)
        and _dimensions(settings) == _dimensions(params)
    )


def _dimensions(params: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(given["Name"], given["Value"]) for given in params.get("Dimensions", ())}


def _asked(item: HistoryItem, params: Mapping[str, Any], kinds: list[str]) -> bool:
    return (
        item.alarm_type in kinds
        and params.get("AlarmName", item.alarm_name) == item.alarm_name
        and params.get("HistoryItemType", item.item_type) == item.item_type
        and params.get("StartDate", item.timestamp) <= item.timestamp <= params.get("EndDate", item.timestamp)
    )


def _known(book: AlarmBook, name: str) -> Alarm:
    if name not in book.alarms:
        raise ServiceError("ResourceNotFound", f"Unknown alarm: {name}", status=404)
    return book.alarms[name]


def _tags(book: AlarmBook, arn: str) -> dict[str, str]:
    name = alarm_name(arn)
    if name not in book.alarms:
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} does not exist.", status=404)
    return book.tags.setdefault(name, {})


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        raise ServiceError("InvalidFormat", "StateReasonData is not valid JSON.") from None


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
