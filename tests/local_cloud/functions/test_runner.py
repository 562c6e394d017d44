"""Functions run for real: their package, their limits, their errors and their isolation."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_cloud.functions.runner import FunctionRunner
from local_cloud.service import ServiceError
from tests.local_cloud.functions.fakes import FakeClients, archive, function
from tests.waiting import LIMIT_SECONDS, wait_for

PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"
MEET = """
import os, time
from pathlib import Path
def handler(event, context):
    Path(event["folder"], event["name"]).touch()
    deadline = time.monotonic() + 50
    while len(os.listdir(event["folder"])) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)  # until the other one is there
    return len(os.listdir(event["folder"]))
"""


def run(runner: FunctionRunner, source: str, event: Any = None, **changes: Any) -> Any:
    """The decoded payload of one invocation that must succeed."""
    result = runner.invoke(function(source, **changes), json.dumps(event))
    assert result.error is None, result.payload
    return json.loads(result.payload)


def fail(runner: FunctionRunner, source: str, **changes: Any) -> dict[str, Any]:
    """The error object of one invocation that must fail."""
    result = runner.invoke(function(source, **changes), "{}")
    assert result.error == "Unhandled"
    error: dict[str, Any] = json.loads(result.payload)
    return error


def test_the_handler_of_the_package_gets_the_event_and_its_result_comes_back(runner: FunctionRunner) -> None:
    """An invocation runs the packaged code on the payload, decimals and non-ASCII text included."""
    source = (
        "from decimal import Decimal\ndef handler(e, c):\n    return {'name': e['name'] + '!', 'n': Decimal('1.5')}\n"
    )
    assert run(runner, source, {"name": "Zoë"}) == {"name": "Zoë!", "n": 1.5}


def test_the_next_invocation_uses_the_warm_worker(runner: FunctionRunner) -> None:
    """Two invocations one after the other run in one process."""
    assert run(runner, PID) == run(runner, PID)


def test_changed_code_configuration_or_credentials_get_a_worker_of_their_own(
    runner: FunctionRunner, clients: FakeClients
) -> None:
    """Nothing of an old package, an old environment or expired credentials answers after a change."""
    first = run(runner, PID)
    configured = run(runner, PID, environment={"MODE": "new"})
    clients.access_key = "ASIAROLE2"
    assert len({first, configured, run(runner, PID)}) == 3


def test_two_invocations_at_once_run_side_by_side(runner: FunctionRunner, tmp_path: Path) -> None:
    """Each of two concurrent invocations sees the other one running."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        events = [{"folder": str(folder), "name": name} for name in ("a", "b")]
        assert list(pool.map(lambda event: run(runner, MEET, event, timeout_seconds=60), events)) == [2, 2]


def test_reserved_concurrency_throttles_what_exceeds_it(runner: FunctionRunner) -> None:
    """A function with nothing reserved for it (0) answers 429, as on AWS."""
    began = time.monotonic()
    with pytest.raises(ServiceError, match="Rate Exceeded") as refused:
        runner.invoke(function(reserved_concurrency=0), "{}")
    assert time.monotonic() - began < 10
    assert (refused.value.code, refused.value.status) == ("TooManyRequestsException", 429)


def test_a_function_that_takes_too_long_is_killed(runner: FunctionRunner, tmp_path: Path) -> None:
    """A time-out gives AWS's error and no process survives it."""
    source = (
        "import os, time\ndef handler(e, c):\n    open(e['file'], 'w').write(str(os.getpid()))\n    time.sleep(60)\n"
    )
    spec = function(source, timeout_seconds=1)
    file = tmp_path / "pid"
    result = runner.invoke(spec, json.dumps({"file": str(file)}))
    error = json.loads(result.payload)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "Status: timeout" in result.log_tail
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


def test_a_function_that_exits_is_reported_and_replaced(runner: FunctionRunner) -> None:
    """os._exit, sys.exit and a crash are Runtime.ExitError; the next invocation works."""
    source = "import os\ndef handler(e, c):\n    if e: os._exit(e)\n    return 'alive'\n"
    result = runner.invoke(function(source), "3")
    error = json.loads(result.payload)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert error["errorMessage"].startswith(f"RequestId: {result.request_id} ")
    assert run(runner, source) == "alive"


def test_sys_exit_ends_the_runtime(runner: FunctionRunner) -> None:
    """SystemExit is no handler error but the end of the process."""
    error = fail(runner, "import sys\ndef handler(e, c):\n    sys.exit(0)\n")
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Error: Runtime exited without providing a reason")


def test_a_function_beyond_its_memory_is_killed(runner: FunctionRunner) -> None:
    """Touching more than MemorySize ends the function with Runtime.OutOfMemory."""
    source = "import time\ndef handler(e, c):\n    hoard = bytearray(b'x' * (300 << 20))\n    time.sleep(30)\n"
    error = fail(runner, source)
    assert error["errorType"] == "Runtime.OutOfMemory"
    assert error["errorMessage"].endswith("signal: killed")


def test_an_exception_is_reported_with_the_frames_of_the_function_only(runner: FunctionRunner) -> None:
    """A handler error has its type, text and a stack trace that begins in the package."""
    error = fail(runner, "def handler(e, c):\n    raise KeyError('msrp')\n")
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'msrp'")
    assert "handler.py" in error["stackTrace"][0]
    assert "bootstrap" not in "".join(error["stackTrace"])


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "text"),
    [
        ("import pandas\n", "handler.handler", "Runtime.ImportModuleError", "No module named 'pandas'"),
        ("", "nowhere.handler", "Runtime.ImportModuleError", "Unable to import module 'nowhere'"),
        ("", "handler.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'handler'"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("def f(:\n", "handler.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handler'"),
        ("import os\nos.environ['TABLE']\n", "handler.f", "KeyError", "'TABLE'"),
        ("def f(e, c):\n    return {1, 2}\n", "handler.f", "Runtime.MarshalError", "not JSON serializable"),
        ("def f(e, c):\n    return 'x' * 7_000_000\n", "handler.f", "Function.ResponseSizeTooLarge", "6291556"),
    ],
)
def test_faulty_functions_get_the_error_types_of_aws(
    runner: FunctionRunner, source: str, handler: str, error_type: str, text: str
) -> None:
    """Errors of loading and of marshalling have AWS's types; a library that AWS lacks is missing here too."""
    error = fail(runner, source, handler=handler)
    assert error["errorType"] == error_type
    assert text in error["errorMessage"]


def test_a_failed_start_is_tried_again_by_the_next_invocation(runner: FunctionRunner, tmp_path: Path) -> None:
    """An init error is not kept: once its cause is gone the function runs."""
    flag = tmp_path / "ready"
    source = f"import os\nassert os.path.exists({str(flag)!r})\ndef handler(e, c):\n    return 'ran'\n"
    assert fail(runner, source)["errorType"] == "AssertionError"
    flag.touch()
    assert run(runner, source) == "ran"


def test_the_checkout_cannot_be_imported(runner: FunctionRunner) -> None:
    """A function sees its package, AWS's libraries and the standard library: none of this project's packages."""
    source = """
import importlib.util, os, sys
def handler(e, c):
    names = ["local_cloud", "tests", "lambdas", "config", "moto", "pytest", "bootstrap", "boto3", "handler", "json"]
    return [name for name in names if importlib.util.find_spec(name)]
"""
    assert run(runner, source) == ["boto3", "handler", "json"]


def test_boto3_talks_to_the_local_cloud_with_the_credentials_of_the_role(runner: FunctionRunner) -> None:
    """A client made without any argument has the role's keys, the function's region and our endpoint."""
    source = """
import boto3
def handler(e, c):
    client = boto3.client("s3")
    keys = boto3.Session().get_credentials()
    return [client.meta.endpoint_url, client.meta.region_name, keys.access_key, keys.token]
"""
    assert run(runner, source) == ["http://127.0.0.1:1", "us-east-1", "ASIAROLE1", "role-token"]


def test_the_environment_is_that_of_lambda(runner: FunctionRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the server's environment reaches a function, and its own variables cannot hide Lambda's."""
    monkeypatch.setenv("SERVER_SECRET", "hidden")
    source = "import os\ndef handler(e, c):\n    return dict(os.environ)\n"
    found = run(runner, source, environment={"TABLE": "cars", "AWS_REGION": "mars-1"})
    assert "SERVER_SECRET" not in found
    assert "PYTHONPATH" not in found
    assert (found["TABLE"], found["AWS_REGION"], found["_HANDLER"]) == ("cars", "us-east-1", "handler.handler")
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert found["TZ"] == ":UTC"


def test_the_context_tells_what_awss_tells(runner: FunctionRunner) -> None:
    """The context object has AWS's attributes with AWS's types."""
    source = """
def handler(e, c):
    left = c.get_remaining_time_in_millis()
    return [c.function_name, c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.log_group_name,
            "[$LATEST]" in c.log_stream_name, c.client_context, len(c.aws_request_id), 0 < left <= 10_000]
"""
    arn = function().arn
    assert run(runner, source) == ["greet", "$LATEST", arn, "128", "/aws/lambda/greet", True, None, 36, True]


def test_a_function_with_the_shortest_name_gets_a_role_session() -> None:
    """Function names may have one letter, role sessions may not."""
    assert function(name="f").session_name == "f-"
    assert function(name="greet").session_name == "greet"


def test_layers_are_importable_behind_the_package(runner: FunctionRunner) -> None:
    """A module in a layer's python folder is found, and the package's own module wins over it."""
    layer = archive({"python/shared.py": "WHO = 'layer'\n", "python/handler.py": "raise RuntimeError\n"})
    source = "import shared\ndef handler(e, c):\n    return shared.WHO\n"
    assert run(runner, source, layers=(layer,)) == "layer"


def test_output_and_logging_are_the_log_in_order(runner: FunctionRunner, clients: FakeClients) -> None:
    """print, logging and an unfinished line arrive between START and END, in the order in which they were written."""
    source = """
import logging, sys
logging.getLogger().setLevel("INFO")
def handler(e, c):
    print("first")
    logging.info("second\\nwith a line")
    print("third", file=sys.stderr, end="")
"""
    result = runner.invoke(function(source), "{}")
    assert runner.wait_until_idle(LIMIT_SECONDS)
    (written,) = clients.service("logs").called("put_log_events")
    lines = [event["message"] for event in written["logEvents"]]
    assert [line.split()[0] for line in lines] == ["INIT_START", "START", "first", "[INFO]", "third", "END", "REPORT"]
    assert lines[3].endswith("second\rwith a line")
    assert result.request_id in lines[3]
    assert result.log_tail.splitlines()[-1] == lines[-1]
    assert ("logs", function().role_arn) in clients.callers


def test_the_log_of_a_talkative_function_is_complete(runner: FunctionRunner) -> None:
    """The answer waits for the last line of the log, however much there is of it."""
    source = "def handler(e, c):\n    for number in range(20_000):\n        print(number)\n"
    assert runner.invoke(function(source), "{}").log_tail.splitlines()[-3] == "19999"


def test_a_structured_log_has_json_lines(runner: FunctionRunner, clients: FakeClients) -> None:
    """With LogFormat JSON the platform's lines and the log records are JSON, `extra` fields included."""
    source = "import logging\ndef handler(e, c):\n    logging.info('hi', extra={'rows': 3})\n"
    runner.invoke(function(source, log_format="JSON"), "{}")
    assert runner.wait_until_idle(LIMIT_SECONDS)
    (written,) = clients.service("logs").called("put_log_events")
    lines = [json.loads(event["message"]) for event in written["logEvents"]]
    assert [line.get("type") for line in lines] == ["platform.initStart", "platform.start", None, "platform.report"]
    assert (lines[2]["message"], lines[2]["level"], lines[2]["rows"]) == ("hi", "INFO", 3)
    assert lines[3]["record"]["status"] == "success"


def test_other_runtimes_are_refused_by_name(runner: FunctionRunner) -> None:
    """A Node.js function fails with an error that names its runtime, and nothing is started."""
    error = fail(runner, "", runtime="nodejs22.x")
    assert error["errorType"] == "LocalCloud.UnsupportedRuntime"
    assert "nodejs22.x" in error["errorMessage"]


def test_refusals_are_errors_of_the_service_and_not_of_the_function(
    runner: FunctionRunner, clients: FakeClients
) -> None:
    """A bad payload, a bad package and a role that does not trust Lambda are refused as AWS refuses them."""
    with pytest.raises(ServiceError) as bad_payload:
        runner.invoke(function(), "{not json")
    with pytest.raises(ServiceError, match="greet") as bad_package:
        runner.invoke(replace(function(), code=b"no zip", code_sha256="other"), "{}")
    clients.refuse_role = True
    with pytest.raises(ServiceError, match="cannot be assumed by Lambda") as bad_role:
        runner.invoke(function(), "{}")
    codes = [refused.value.code for refused in (bad_payload, bad_package, bad_role)]
    assert codes == ["InvalidRequestContentException", "InvalidParameterValueException", "AccessDeniedException"]


def test_reset_ends_what_runs(runner: FunctionRunner, tmp_path: Path) -> None:
    """An invocation that runs when the local cloud is reset fails soon instead of holding the reset up."""
    file = tmp_path / "running"
    source = "import time\ndef handler(e, c):\n    open(e, 'w').close()\n    time.sleep(60)\n"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(runner.invoke, function(source, timeout_seconds=60), json.dumps(str(file)))
        wait_for(file.exists, what="the function to run")
        runner.reset()
        error = json.loads(waiting.result(timeout=LIMIT_SECONDS).payload)
    assert error["errorType"] == "Runtime.ExitError"
    assert "stopped" in error["errorMessage"]
