"""Settings of the server: SageMaker's own environment variables and ours, read once at start.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_server.errors import SettingsError

# SageMaker takes payloads of up to 25 MB; batch transform sends 6 MB at a time unless told otherwise.
_DEFAULT_BODY_BYTES = 6 * 1024 * 1024
# 20,000 rows keep the only thread busy for about 0.2 s, a tenth of what SageMaker waits for a /ping.
_DEFAULT_ROWS = 20_000
_DEFAULT_BODY_SECONDS = 20.0
# SageMaker kills a container 30 s after its SIGTERM.
_DEFAULT_DRAIN_SECONDS = 25.0


@dataclass(frozen=True)
class Limits:
    """What a single request may take."""

    body_bytes: int = _DEFAULT_BODY_BYTES
    rows: int = _DEFAULT_ROWS
    body_seconds: float = _DEFAULT_BODY_SECONDS


@dataclass(frozen=True)
class ServerSettings:
    """Where the server listens, what it serves, and its limits."""

    host: str
    port: int
    model_folder: Path
    limits: Limits
    drain_seconds: float


def read_settings(environment: Mapping[str, str]) -> ServerSettings:
    """Settings from environment variables; raises SettingsError naming the one that is wrong.

    SAGEMAKER_BIND_TO_PORT (8080; 0 for any free port), MODEL_SERVER_HOST (0.0.0.0), ML_BASE_DIR (/opt/ml; the model
    lies in `model` below it), MODEL_SERVER_MAXIMUM_BODY_BYTES, MODEL_SERVER_MAXIMUM_ROWS, MODEL_SERVER_BODY_SECONDS
    (to receive a request's body), MODEL_SERVER_DRAIN_SECONDS (to finish requests after SIGTERM).
    """
    reader = _Reader(environment)
    return ServerSettings(
        # A container's port is reached from outside the container.
        host=environment.get("MODEL_SERVER_HOST") or "0.0.0.0",  # noqa: S104
        port=int(reader.number("SAGEMAKER_BIND_TO_PORT", 8080, minimum=0, maximum=65535)),
        model_folder=Path(environment.get("ML_BASE_DIR") or "/opt/ml") / "model",
        limits=Limits(
            body_bytes=int(reader.number("MODEL_SERVER_MAXIMUM_BODY_BYTES", _DEFAULT_BODY_BYTES, minimum=1)),
            rows=int(reader.number("MODEL_SERVER_MAXIMUM_ROWS", _DEFAULT_ROWS, minimum=1)),
            body_seconds=reader.number("MODEL_SERVER_BODY_SECONDS", _DEFAULT_BODY_SECONDS, minimum=0.01),
        ),
        drain_seconds=reader.number("MODEL_SERVER_DRAIN_SECONDS", _DEFAULT_DRAIN_SECONDS, minimum=0),
    )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def number(self, name: str, default: float, *, minimum: float, maximum: float = 1e9) -> float:
        text = self.environment.get(name, "")
        try:
            number = float(text) if text else float(default)
        except ValueError:
            raise SettingsError(f"the environment variable {name} should be a number, not '{text}'") from None
        if not minimum <= number <= maximum:
            raise SettingsError(
                f"the environment variable {name} should be between {minimum:g} and {maximum:g}, not {text}"
            )
        return number
