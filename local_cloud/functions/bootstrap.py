"""The process in which one Lambda function runs: what the Python runtime interface client is on AWS.

Started by `worker.py` as a script (`python -I -S -X utf8 -u bootstrap.py FD`), with the standard library only, so
that nothing of the checkout it lies in can be imported by the function. FD is a socket to the server; JSON lines
travel on it: the configuration in, `{"error": ...}` out when the handler is loaded, then one request and one answer
for each invocation. Standard output and error are the function's log.

Errors have the types and texts of AWS's runtime: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import importlib
import json
import logging
import os
import resource
import sys
import time
import traceback
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

MOST_RESPONSE_BYTES = 6_291_556
END_OF_LOG = "\x1e"
_RUNTIME_LIBRARIES = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
_TEXT_RECORD = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_PLAIN_RECORD = logging.LogRecord("", 0, "", 0, "", (), None)
_KNOWN_FIELDS = {*vars(_PLAIN_RECORD), "message", "asctime", "aws_request_id", "taskName"}


class RuntimeLibraries:
    """Finds what AWS's runtime brings beside the standard library, and nothing else that is installed here.

    A function that forgot to package a dependency so fails here as it would on AWS.
    """

    def __init__(self, site_packages: list[str]) -> None:
        self._site_packages = site_packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The import protocol's question for a module; only top-level names are answered."""
        if path is not None or name not in _RUNTIME_LIBRARIES:
            return None
        return PathFinder.find_spec(name, self._site_packages, target)


class CognitoIdentity:
    """The caller's Cognito identity: nobody has one here."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = CognitoIdentity()
        self.client_context = None
        self._deadline: float = time.monotonic() + request["remaining_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended for lack of time."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, message: str) -> None:
        """Write to the function's log."""
        sys.stdout.write(message)


class RequestId(logging.Filter):
    """Gives each record the request it belongs to."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.aws_request_id = self.current
        return True


class TextFormatter(logging.Formatter):
    """AWS's plain text format; one record stays one log event, its lines separated by carriage returns."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(_TEXT_RECORD, _TIME_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        return super().format(record).replace("\n", "\r")


class JsonFormatter(logging.Formatter):
    """AWS's structured format: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON line, with what was given as `extra`."""
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, _TIME_FORMAT) + "Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": getattr(record, "aws_request_id", ""),
        }
        if record.exc_info and record.exc_info[0]:
            fields["errorType"] = record.exc_info[0].__name__
            fields["errorMessage"] = str(record.exc_info[1])
            fields["stackTrace"] = traceback.format_tb(record.exc_info[2])
        extra = {key: value for key, value in vars(record).items() if key not in _KNOWN_FIELDS}
        return json.dumps(extra | fields, default=str, ensure_ascii=False)


class JsonEncoder(json.JSONEncoder):
    """As AWS's runtime: decimals become numbers, everything else that JSON does not know is refused."""

    def default(self, value: Any) -> Any:
        """A JSON value for `value`, or TypeError."""
        from decimal import Decimal

        return float(value) if isinstance(value, Decimal) else super().default(value)


class Runtime:
    """Loads the handler once and answers one request after the other."""

    def __init__(self, channel: int) -> None:
        os.set_inheritable(channel, False)
        self._requests = os.fdopen(channel, "rb")
        self._answers = os.fdopen(os.dup(channel), "wb")
        self._request_id = RequestId()
        self._handler: Any = None

    def run(self) -> None:
        """Serve until the server closes the socket."""
        configuration = json.loads(self._requests.readline())
        sys.path[:0] = [configuration["task_root"], *configuration["layers"]]
        sys.meta_path.append(RuntimeLibraries(configuration["site_packages"]))
        self._set_up_logging()
        self._answer({"error": self._load(configuration["handler"])}, marker="init")
        for line in self._requests:
            request = json.loads(line)
            self._request_id.current = request["request_id"]
            self._answer(self._invoke(request), marker=request["request_id"])

    def _set_up_logging(self) -> None:
        structured = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter() if structured else TextFormatter())
        handler.addFilter(self._request_id)
        logging.getLogger().addHandler(handler)
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO" if structured else "")
        if level:
            # AWS's names; TRACE is the one that Python does not have.
            logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level))

    def _load(self, name: str) -> dict[str, Any] | None:
        """Import the handler; the error that this gave, if any."""
        module_name, dot, function_name = name.rpartition(".")
        if not dot:
            return _error("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
        try:
            module = importlib.import_module(module_name.replace("/", "."))
        except ImportError as error:
            return _error("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
        except SyntaxError as error:
            where = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
            text = f"Syntax error in module '{module_name}': {error}"
            return _error("Runtime.UserCodeSyntaxError", text, [where])
        except Exception as error:  # noqa: BLE001
            # The module's own code may raise anything at all.
            return _raised(error)
        self._handler = getattr(module, function_name, None)
        if self._handler is None:
            return _error("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
        return None

    def _invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            value = self._handler(json.loads(request["payload"]), LambdaContext(request))
        except Exception as error:  # noqa: BLE001
            # A handler may raise anything; SystemExit alone is not caught and ends the process, as on AWS.
            return self._failure(_raised(error))
        try:
            payload = json.dumps(value, cls=JsonEncoder, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            return self._failure(_error("Runtime.MarshalError", f"Unable to marshal response: {error}"))
        if len(payload.encode("utf-8", "surrogatepass")) > MOST_RESPONSE_BYTES:
            text = f"Response payload size exceeded maximum allowed payload size ({MOST_RESPONSE_BYTES} bytes)."
            return {"error": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}}
        return {"payload": payload}

    def _failure(self, error: dict[str, Any]) -> dict[str, Any]:
        return {"error": error | {"requestId": self._request_id.current}}

    def _answer(self, answer: dict[str, Any], *, marker: str) -> None:
        """Answer once everything that the function has written is on its way."""
        if answer.get("error"):
            print(_log_text(answer["error"]))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.write(1, f"{END_OF_LOG}{marker}\n".encode())
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory_bytes = used if sys.platform == "darwin" else used * 1024
        self._answers.write(json.dumps(answer | {"memory_bytes": memory_bytes}).encode() + b"\n")
        self._answers.flush()


def _error(error_type: str, message: str, stack_trace: list[str] | None = None) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": error_type, "requestId": "", "stackTrace": stack_trace or []}


def _raised(error: Exception) -> dict[str, Any]:
    """An exception of the function's own code, without the frames of this file and of the import system."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return _error(type(error).__name__, str(error), traceback.format_list(own))


def _log_text(error: dict[str, Any]) -> str:
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        moment = time.strftime(_TIME_FORMAT, time.gmtime()) + "Z"
        return json.dumps({"timestamp": moment, "log_level": "ERROR"} | error, ensure_ascii=False)
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
    if error.get("stackTrace"):
        lines += ["Traceback (most recent call last):", *(line.rstrip() for line in error["stackTrace"])]
    return "\n".join(lines).replace("\n", "\r")


if __name__ == "__main__":
    Runtime(int(sys.argv[1])).run()
