"""A function that works for one project: its code by folder, its environment, its rights.

Must not give a function any right that is not named.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from components.event_function import EventFunction, FunctionCode
from stacks.project_scope import ProjectScope


def project_function(
    construct: Construct,
    construct_id: str,
    *,
    scope: ProjectScope,
    folder: str,
    description: str,
    environment: Mapping[str, str],
    timeout_seconds: int,
    memory_mb: int,
) -> EventFunction:
    """The function of `lambdas/<folder>`, told its project and stage."""
    return EventFunction(
        construct,
        construct_id,
        description=description,
        code=FunctionCode(
            source_root=scope.stage.source_root,
            paths=["lambdas/__init__.py", "lambdas/shared", f"lambdas/{folder}"],
            handler=f"lambdas.{folder}.handler.handle",
        ),
        environment={"PROJECT": scope.project.name, "STAGE": scope.stage.name, **environment},
        function_logs=scope.stage.function_logs,
        timeout_seconds=timeout_seconds,
        memory_mb=memory_mb,
    )


def grant(function: EventFunction, statements: Sequence[iam.PolicyStatement]) -> None:
    """Let the function do what the statements say, beside writing its log."""
    for statement in statements:
        function.role.add_to_policy(statement)
