"""A Python Lambda function for events: own role, own log group, dead-letter queue, bounded retries.

Must not grant beyond its own logs and queue; the stack adds the statements that the handler needs. The code comes
from the repository as it is, without a build step, so handlers use the standard library and boto3 only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, IgnoreMode, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from components.source_asset import all_but

# An event that could not be handled by then is for a person, who finds it in the queue.
_MAXIMUM_EVENT_AGE = Duration.hours(6)
_RETRIES = 2
_DEAD_LETTER_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class FunctionCode:
    """Where a handler lives: `source_root` is the repository, `paths` what of it goes into the zip."""

    source_root: Path
    paths: Sequence[str]
    handler: str


@dataclass(frozen=True, kw_only=True)
class FunctionLogs:
    """How long the function's logs stay, in days, and whether they outlive the stack."""

    retention_days: int
    removal_policy: RemovalPolicy


class EventFunction(Construct):
    """One handler with everything that belongs to it; `function`, `role` and `dead_letter_queue` are public."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        code: FunctionCode,
        environment: Mapping[str, str],
        function_logs: FunctionLogs,
        timeout_seconds: int,
        memory_mb: int,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = self._log_group(function_logs)
        self.dead_letter_queue = self._queue()
        self.role = self._role(description, log_group)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            code=_zip_of(code),
            handler=code.handler,
            runtime=lambda_.Runtime.PYTHON_3_12,
            architecture=lambda_.Architecture.X86_64,
            role=self.role,
            environment=dict(environment),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            dead_letter_queue=self.dead_letter_queue,
            retry_attempts=_RETRIES,
            max_event_age=_MAXIMUM_EVENT_AGE,
        )

    def allow(self, statements: Iterable[iam.PolicyStatement]) -> None:
        """Let the function do what the statements say, beside writing its log."""
        for statement in statements:
            self.role.add_to_policy(statement)

    def _role(self, description: str, log_group: logs.ILogGroup) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"Execution role of: {description}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(role)
        return role

    def _log_group(self, function_logs: FunctionLogs) -> logs.ILogGroup:
        # The plain resource takes the number of days as it is; the higher-level one wants a member of an enumeration.
        resource = logs.CfnLogGroup(self, "Logs", retention_in_days=function_logs.retention_days)
        resource.apply_removal_policy(function_logs.removal_policy)
        return logs.LogGroup.from_log_group_name(self, "LogGroup", resource.ref)

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(_DEAD_LETTER_DAYS),
        )


def _zip_of(code: FunctionCode) -> lambda_.Code:
    return lambda_.Code.from_asset(str(code.source_root), exclude=all_but(code.paths), ignore_mode=IgnoreMode.GIT)
