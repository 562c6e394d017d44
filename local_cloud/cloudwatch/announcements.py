"""What an alarm that changed its state tells others: the event, the SNS message and the event of a Lambda action.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

import functools
import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.loaders import Loader

from local_cloud.cloudwatch.alarm import METRIC_ALARM, AlarmState, Transition
from local_cloud.cloudwatch.reasons import timestamp

EVENT_SOURCE = "aws.cloudwatch"
STATE_CHANGE = "CloudWatch Alarm State Change"
_MOST_SUBJECT = 100


def event_detail(transition: Transition) -> dict[str, Any]:
    """The detail of "CloudWatch Alarm State Change", and the `alarmData` of a Lambda action."""
    alarm = transition.alarm
    return {
        "alarmName": alarm.name,
        "state": _state(alarm.state),
        "previousState": _state(transition.previous),
        "configuration": _configuration(transition),
    }


def lambda_event(transition: Transition) -> str:
    """The event of a Lambda action, JSON text."""
    alarm = transition.alarm
    event = {
        "source": EVENT_SOURCE,
        "alarmArn": alarm.arn,
        "accountId": alarm.account,
        "time": timestamp(alarm.state.transitioned),
        "region": alarm.region,
        "alarmData": event_detail(transition),
    }
    return json.dumps(event)


def sns_subject(transition: Transition) -> str:
    """The subject of the notification."""
    alarm = transition.alarm
    return f'{alarm.state.value}: "{alarm.name}" in {region_name(alarm.region)}'[:_MOST_SUBJECT]


def sns_message(transition: Transition) -> str:
    """The notification, JSON text."""
    alarm = transition.alarm
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.settings.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configured),
        "NewStateValue": alarm.state.value.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": timestamp(alarm.state.transitioned),
        "Region": region_name(alarm.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": transition.previous.value.value,
        "OKActions": alarm.settings["OKActions"],
        "AlarmActions": alarm.settings["AlarmActions"],
        "InsufficientDataActions": alarm.settings["InsufficientDataActions"],
    }
    return json.dumps(message | (_trigger(alarm.settings) if alarm.kind == METRIC_ALARM else _rule(transition)))


@functools.cache
def region_name(region: str) -> str:
    """How AWS calls a region in mails: `US East (N. Virginia)`; the code for a region that botocore does not know."""
    for partition in Loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region


def _state(state: AlarmState) -> dict[str, Any]:
    data = {"reasonData": state.reason_data} if state.reason_data is not None else {}
    return {"value": state.value.value, "reason": state.reason} | data | {"timestamp": timestamp(state.updated)}


def _configuration(transition: Transition) -> dict[str, Any]:
    settings = transition.alarm.settings
    described = {"description": settings["AlarmDescription"]} if "AlarmDescription" in settings else {}
    if transition.alarm.kind != METRIC_ALARM:
        return {"alarmRule": settings["AlarmRule"]} | described
    if "Metrics" in settings:
        return {"metrics": [_query(query) for query in settings["Metrics"]]} | described
    stat = settings.get("Statistic") or settings["ExtendedStatistic"]
    query = {
        # AWS makes an id up, too; it stays the same for the same alarm.
        "Id": str(uuid.uuid5(uuid.NAMESPACE_URL, transition.alarm.arn)),
        "MetricStat": {"Metric": settings, "Period": settings["Period"], "Stat": stat}
        | ({"Unit": settings["Unit"]} if "Unit" in settings else {}),
    }
    return {"metrics": [_query(query)]} | described


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    about = {"label": query["Label"]} if "Label" in query else {}
    about |= {"returnData": query.get("ReturnData", True)}
    if "Expression" in query:
        return {"id": query["Id"], "expression": query["Expression"]} | about
    stat = query["MetricStat"]
    metric = {
        "namespace": stat["Metric"]["Namespace"],
        "name": stat["Metric"]["MetricName"],
        "dimensions": {given["Name"]: given["Value"] for given in stat["Metric"].get("Dimensions", ())},
    }
    unit = {"unit": stat["Unit"]} if "Unit" in stat else {}
    described = {"metric": metric, "period": stat["Period"], "stat": stat["Stat"]} | unit
    return {"id": query["Id"], "metricStat": described} | about


def _trigger(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a metric alarm watches, as notifications of AWS carry it; AWS publishes no schema of it."""
    if "Metrics" in settings:
        watched: dict[str, Any] = {"Metrics": [_notified_query(query) for query in settings["Metrics"]]}
    else:
        extended = "ExtendedStatistic" in settings
        watched = {
            "MetricName": settings["MetricName"],
            "Namespace": settings["Namespace"],
            "StatisticType": "ExtendedStatistic" if extended else "Statistic",
            **(
                {"ExtendedStatistic": settings["ExtendedStatistic"]}
                if extended
                else {"Statistic": settings["Statistic"].upper()}
            ),
            "Unit": settings.get("Unit"),
            "Dimensions": _notified_dimensions(settings),
            "Period": settings["Period"],
        }
    condition = {
        "EvaluationPeriods": settings["EvaluationPeriods"],
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": settings["Threshold"],
        "TreatMissingData": settings.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "DatapointsToAlarm" in settings:
        condition["DatapointsToAlarm"] = settings["DatapointsToAlarm"]
    return {"Trigger": watched | condition}


def _notified_query(query: Mapping[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in query:
        return dict(query)
    metric = dict(query["MetricStat"]["Metric"])
    metric["Dimensions"] = _notified_dimensions(metric)
    return dict(query) | {"MetricStat": dict(query["MetricStat"]) | {"Metric": metric}}


def _notified_dimensions(metric: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"value": given["Value"], "name": given["Name"]} for given in metric.get("Dimensions", ())]


def _rule(transition: Transition) -> dict[str, Any]:
    triggering = []
    for child in transition.children:
        state = {"Value": child.state.value.value, "Timestamp": timestamp(child.state.transitioned)}
        triggering.append({"Arn": child.arn, "State": state})
    return {"AlarmRule": transition.alarm.settings["AlarmRule"], "TriggeringChildren": triggering}
