"""The way of a function's log to CloudWatch Logs."""

import pytest

from local_cloud.functions.logs import FunctionLogs
from tests.local_cloud.functions.fakes import FakeClients, client_error, function
from tests.waiting import LIMIT_SECONDS

LINES = ((1_700_000_000_000, "START"), (1_700_000_000_001, ""))


def send(logs: FunctionLogs, *, stream: str = "stream") -> None:
    """Write two lines and wait until they are sent."""
    logs.write(function(), stream=stream, lines=LINES)
    assert logs.wait_until_idle(LIMIT_SECONDS)


def test_the_stream_is_made_once_and_lines_keep_their_time(clients: FakeClients) -> None:
    """Two invocations of one worker share a stream; an empty line is written as a blank, which Logs requires."""
    logs = FunctionLogs(clients)  # type: ignore[arg-type]
    send(logs)
    send(logs)
    service = clients.service("logs")
    assert len(service.called("create_log_stream")) == 1
    assert [len(call["logEvents"]) for call in service.called("put_log_events")] == [2, 2]
    assert service.called("put_log_events")[0]["logEvents"][1] == {"timestamp": 1_700_000_000_001, "message": " "}
    logs.close()


def test_a_missing_group_is_made(clients: FakeClients) -> None:
    """Lambda makes the log group itself if the role may."""
    clients.service("logs").errors["create_log_stream"] = [client_error("ResourceNotFoundException")]
    logs = FunctionLogs(clients)  # type: ignore[arg-type]
    send(logs)
    assert clients.service("logs").called("create_log_group") == [{"logGroupName": "/aws/lambda/greet"}]
    assert len(clients.service("logs").called("put_log_events")) == 1
    logs.close()


def test_a_role_without_the_right_loses_the_log_and_nothing_else(
    clients: FakeClients, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused PutLogEvents is said in the server's log with the function and the role; the next write goes on."""
    clients.service("logs").errors["put_log_events"] = [client_error("AccessDeniedException")]
    logs = FunctionLogs(clients)  # type: ignore[arg-type]
    send(logs)
    assert "the log of function greet is lost" in caplog.text
    assert function().role_arn in caplog.text
    send(logs)
    assert len(clients.service("logs").called("put_log_events")) == 2
    logs.close()
