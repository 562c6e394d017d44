"""A function that works for one project: its code by folder, its environment, its rights.

Must not give a function any right that is not named.
"""

from collections.abc import Iterable, Mapping

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
    statements: Iterable[iam.PolicyStatement] = (),
) -> EventFunction:
    """The function of `lambdas/<folder>`, told its project and stage; `statements` are its rights beside its log."""
    function = EventFunction(
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
    function.allow(statements)
    return function
