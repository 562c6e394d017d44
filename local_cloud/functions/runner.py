"""Runs Lambda functions for real: their own package, in child processes, with the credentials of their role.

The interpreter is the local cloud's own whatever Python version a function names; other runtimes are refused by
name. Asynchronous invocations, with their retries and destinations, are in `asynchronous.py`.
"""

import hashlib
import json
import uuid
from collections.abc import Hashable
from pathlib import Path

from botocore.exceptions import ClientError

from local_cloud.clients import Clients, Credentials
from local_cloud.clock import Clock
from local_cloud.functions.code import CodeError, CodeStore
from local_cloud.functions.log_lines import invocation_lines, log_tail
from local_cloud.functions.logs import FunctionLogs
from local_cloud.functions.pool import WorkerPool
from local_cloud.functions.specification import LAMBDA_PRINCIPAL, FunctionSpec, InvocationResult
from local_cloud.functions.worker import Package, Worker
from local_cloud.processes import ProcessTable
from local_cloud.service import ServiceError

FUNCTION_ERROR = "Unhandled"


class FunctionRunner:
    """Synchronous invocations of all functions; `directory` keeps packages and temporary files."""

    def __init__(self, *, clients: Clients, clock: Clock, processes: ProcessTable, directory: Path) -> None:
        self._clients = clients
        self._clock = clock
        self._processes = processes
        self._code = CodeStore(directory / "code")
        self._scratch = directory / "tmp"
        self._pool = WorkerPool()
        self._logs = FunctionLogs(clients)

    def invoke(self, spec: FunctionSpec, payload: str, *, request_id: str | None = None) -> InvocationResult:
        """Run the handler once with the JSON text `payload` and wait for its end.

        A failure of the function is a result with `error` set. Raises ServiceError where AWS refuses to run it:
        throttled, a payload that is not JSON, a role that cannot be assumed, a package that cannot be extracted.
        """
        request_id = request_id or str(uuid.uuid4())
        check_payload(payload)
        if not spec.runtime.startswith("python"):
            return _unsupported(spec, request_id)
        credentials = self._credentials(spec)
        began_ms = int(self._clock.now().timestamp() * 1000)
        with self._pool.lease(
            spec, key=_worker_key(spec, credentials), start=lambda: self._start(spec, credentials)
        ) as lease:
            answer = lease.worker.invoke(payload, request_id=request_id)
        init_ms = lease.worker.init_ms if lease.cold else None
        lines = invocation_lines(spec, answer, request_id=request_id, began_ms=began_ms, init_ms=init_ms)
        self._logs.write(spec, stream=lease.worker.log_stream, lines=lines)
        error = FUNCTION_ERROR if answer.error_type else None
        return InvocationResult(answer.payload, error, log_tail(lines), request_id)

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether all logs were written within `timeout` real seconds."""
        return self._logs.wait_until_idle(timeout)

    def reset(self) -> None:
        """Stop every worker and forget the packages; invocations that run fail."""
        self._pool.reset()
        self._logs.reset()
        self._code.clear()

    def close(self) -> None:
        """`reset` for good."""
        self._pool.close()
        self._logs.close()

    def _start(self, spec: FunctionSpec, credentials: Credentials) -> Worker:
        try:
            package = Package(
                self._code.folder(spec.code, spec.code_sha256),
                tuple(self._code.folder(layer, hashlib.sha256(layer).hexdigest()) for layer in spec.layers),
            )
        except CodeError as error:
            raise ServiceError("InvalidParameterValueException", f"function {spec.name}: {error}") from error
        return Worker(
            spec,
            package,
            processes=self._processes,
            environment=credentials.environment() | {"AWS_ENDPOINT_URL": self._clients.endpoint_url},
            scratch=self._scratch,
        )

    def _credentials(self, spec: FunctionSpec) -> Credentials:
        try:
            return self._clients.role_credentials(
                spec.role_arn, principal=LAMBDA_PRINCIPAL, session_name=spec.session_name, region=spec.region
            )
        except ClientError as error:
            reason = error.response["Error"].get("Message", "")
            text = f"The role defined for the function cannot be assumed by Lambda. {spec.role_arn}: {reason}"
            raise ServiceError("AccessDeniedException", text, status=403) from error


def _worker_key(spec: FunctionSpec, credentials: Credentials) -> Hashable:
    """Everything a running worker cannot change any more, the credentials in its environment included."""
    return (
        *(spec.arn, spec.version, spec.code_sha256, spec.handler, spec.runtime, spec.memory_mb, spec.timeout_seconds),
        *(spec.log_group, spec.log_format, spec.log_level, spec.layers, tuple(sorted(spec.environment.items()))),
        credentials.access_key_id,
    )


def check_payload(payload: str) -> None:
    """Raise ServiceError (InvalidRequestContentException) unless the payload of an invocation is JSON text."""
    try:
        json.loads(payload)
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", text) from error


def _unsupported(spec: FunctionSpec, request_id: str) -> InvocationResult:
    text = (
        f"function {spec.name} has the runtime {spec.runtime}, which the local cloud does not run; "
        "it runs Python functions only"
    )
    payload = json.dumps({"errorType": "LocalCloud.UnsupportedRuntime", "errorMessage": text})
    return InvocationResult(payload, FUNCTION_ERROR, f"{text}\n", request_id)
