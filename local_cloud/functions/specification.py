"""What one Lambda function is and what one invocation gives, as plain values without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LAMBDA_PRINCIPAL = "lambda.amazonaws.com"


@dataclass(frozen=True)
class FunctionSpec:
    """One version of a Lambda function; `code` is its deployment package (zip).

    `event_invoke_config` is the request of PutFunctionEventInvokeConfig (empty: AWS's defaults),
    `dead_letter_arn` the function's DeadLetterConfig, `log_format` and `log_level` its LoggingConfig,
    `reserved_concurrency` None where none is reserved.
    """

    account: str
    region: str
    name: str
    arn: str
    handler: str
    runtime: str
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]
    role_arn: str
    code: bytes
    code_sha256: str
    log_group: str
    version: str = "$LATEST"
    layers: tuple[bytes, ...] = ()
    reserved_concurrency: int | None = None
    log_format: str = "Text"
    log_level: str | None = None
    event_invoke_config: Mapping[str, Any] = field(default_factory=dict)
    dead_letter_arn: str | None = None

    @property
    def session_name(self) -> str:
        """The role session's name: the function's, as on AWS, lengthened to the two characters that STS wants."""
        return self.name.ljust(2, "-")


@dataclass(frozen=True)
class InvocationResult:
    """The answer of one invocation: JSON text, "Unhandled" after a function error, and the last 4 KB of its log."""

    payload: str
    error: str | None
    log_tail: str
    request_id: str = ""
