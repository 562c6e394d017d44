"""iam:PassRole: which roles a call hands to a service.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission
from local_cloud.iam.context import RequestContext

# Where requests carry roles, by service; a dot leads into a structure, "[]" into each member of a list.
_ROLE_PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "application-autoscaling": ("RoleARN",),
        "cloudformation": ("RoleARN",),
        "codebuild": ("serviceRole", "serviceRoleOverride"),
        "codepipeline": ("pipeline.roleArn",),
        "events": ("RoleArn", "Targets[].RoleArn"),
        "glue": ("Role",),
        "lambda": ("Role",),
        "logs": ("roleArn",),
        "sagemaker": (
            "RoleArn",
            "ExecutionRoleArn",
            "MonitoringScheduleConfig.MonitoringJobDefinition.RoleArn",
        ),
        "scheduler": ("Target.RoleArn",),
        "states": ("roleArn",),
    }
)
# Operations that only read a definition may show a role without passing it.
_PASSING_OPERATIONS = ("Create", "Update", "Put", "Register", "Start", "Delete")


def passed_roles(call: ApiCall) -> tuple[Permission, ...]:
    """iam:PassRole on each role that the call hands over, with the service as iam:PassedToService."""
    if not call.operation.startswith(_PASSING_OPERATIONS):
        return ()
    context = RequestContext.of({"iam:PassedToService": f"{call.service}.amazonaws.com"})
    roles = (
        role for path in _ROLE_PARAMETERS.get(call.service, ()) for role in _values(call.parameters, path.split("."))
    )
    return tuple(Permission("iam:PassRole", _role_arn(call, role), context) for role in dict.fromkeys(roles))


def _values(node: object, path: list[str]) -> Iterator[str]:
    """Strings at a path of structures and lists."""
    if not path:
        if isinstance(node, str) and node:
            yield node
        return
    name, rest = path[0].removesuffix("[]"), path[1:]
    child = node.get(name) if isinstance(node, Mapping) else None
    children = child if path[0].endswith("[]") and isinstance(child, list | tuple) else [child]
    for member in children:
        yield from _values(member, rest)


def _role_arn(call: ApiCall, role: str) -> str:
    """The ARN of a role; Glue also takes a name."""
    return role if role.startswith("arn:") else call.arn("iam", f"role/{role}", region="")
