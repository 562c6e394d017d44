"""Lambda, CloudWatch Logs and CloudWatch: API operations to IAM actions and resources.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html,
.../list_amazoncloudwatchlogs.html and .../list_amazoncloudwatch.html
"""

from collections.abc import Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission, permissions

_LAMBDA_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "GetLayerVersionByArn": "GetLayerVersion",
        "Invoke": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
    }
)
_LAMBDA_WITHOUT_RESOURCE = frozenset({"CreateEventSourceMapping", "ListEventSourceMappings", "ListLayerVersions"})
_STREAM_OPERATIONS = frozenset({"CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents"})
_LOGS_WITHOUT_RESOURCE = frozenset(
    {"DeleteIndexPolicy", "DescribeQueries", "ListLogGroups", "ListSyslogConfigurations"}
    | {"PutIndexPolicy", "PutQueryDefinition"}
)
_ALARM_LISTS = frozenset({"DescribeAlarms", "DescribeAlarmHistory"})


def lambda_required(call: ApiCall) -> tuple[Permission, ...]:
    """Lambda: functions (with the qualifier), layers and event source mappings."""
    action = f"lambda:{_LAMBDA_ACTIONS.get(call.operation, call.operation)}"
    if call.operation in _LAMBDA_WITHOUT_RESOURCE:
        return permissions(action, ())
    if mapping := call.text("UUID"):
        return permissions(action, (call.arn("lambda", f"event-source-mapping:{mapping}"),))
    if layer := call.text("LayerName", "Arn"):
        version = call.parameters.get("VersionNumber")
        return permissions(action, (_layer(call, layer, version),))
    if arn := call.text("Resource"):
        return permissions(action, (arn,))
    name = call.text("FunctionName")
    return permissions(action, (_function(call, name),) if name else ())


def logs_required(call: ApiCall) -> tuple[Permission, ...]:
    """CloudWatch Logs: log groups and streams.

    A log group is evaluated as `log-group:<name>:log-stream:<stream>`, with an empty stream for operations on the
    group, as AWS's own error messages show; so a policy needs the ARN that ends in `:*`.
    """
    action = f"logs:{call.operation}"
    if call.operation == "DescribeLogGroups":
        return permissions(action, (call.arn("logs", "log-group::log-stream:"),))
    if call.operation in _LOGS_WITHOUT_RESOURCE:
        return permissions(action, ())
    if arn := call.text("resourceArn"):
        return permissions(action, (arn,))
    identifier = call.text("logGroupIdentifier")
    group = call.text("logGroupName") or (identifier.rpartition("log-group:")[2] if identifier else None)
    groups = (group,) if group else call.texts("logGroupNames")
    stream = (call.text("logStreamName") or "") if call.operation in _STREAM_OPERATIONS else ""
    return permissions(action, (call.arn("logs", f"log-group:{name}:log-stream:{stream}") for name in groups))


def cloudwatch_required(call: ApiCall) -> tuple[Permission, ...]:
    """CloudWatch: alarms and dashboards; metrics have no resource and are narrowed by cloudwatch:namespace."""
    action = f"cloudwatch:{call.operation}"
    if arn := call.text("ResourceARN"):
        return permissions(action, (arn,))
    alarms = call.texts("AlarmNames") or tuple(filter(None, (call.text("AlarmName"),)))
    if alarms and call.operation != "ListAlarmMuteRules":
        return permissions(action, (call.arn("cloudwatch", f"alarm:{alarm}") for alarm in alarms))
    if call.operation in _ALARM_LISTS:
        return permissions(action, (call.arn("cloudwatch", "alarm:*"),))
    dashboards = call.texts("DashboardNames") or tuple(filter(None, (call.text("DashboardName"),)))
    return permissions(
        action, (call.arn("cloudwatch", f"dashboard/{dashboard}", region="") for dashboard in dashboards)
    )


def _function(call: ApiCall, name: str) -> str:
    """ARN of a function given as name, `name:qualifier`, partial ARN or ARN, with the Qualifier parameter."""
    qualifier = call.text("Qualifier")
    if not name.startswith("arn:"):
        account, separator, rest = name.rpartition(":function:")
        name = call.arn("lambda", f"function:{rest}", account=account if separator else None)
    already_qualified = name.count(":") > 6
    return f"{name}:{qualifier}" if qualifier and not already_qualified else name


def _layer(call: ApiCall, layer: str, version: object) -> str:
    arn = layer if layer.startswith("arn:") else call.arn("lambda", f"layer:{layer}")
    return f"{arn}:{version}" if version is not None else arn
