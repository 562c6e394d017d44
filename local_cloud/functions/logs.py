"""Writes a function's log to CloudWatch Logs with the rights of the function's role, as Lambda does.

A role without these rights loses the log, never the invocation. Nothing here runs in the invocation's own time.
"""

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.events.background import BackgroundWork
from local_cloud.functions.specification import LAMBDA_PRINCIPAL, FunctionSpec
from local_cloud.functions.worker import LogLine

_log = logging.getLogger(__name__)
_MOST_EVENTS = 1000
"""Well below PutLogEvents' 10,000 events; with short lines also below its 1 MB."""


class FunctionLogs:
    """Log streams of all workers; one thread writes, so that the order is kept."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._streams: set[tuple[str, str, str]] = set()
        self._work = BackgroundWork("function-logs", threads=1)

    def write(self, spec: FunctionSpec, *, stream: str, lines: tuple[LogLine, ...]) -> None:
        """Send the lines some time soon."""
        self._work.submit(lambda: self._send(spec, stream=stream, lines=lines))

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether all lines were sent within `timeout` real seconds."""
        return self._work.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget the streams and what was not sent."""
        self._work.reset()
        self._streams.clear()

    def close(self) -> None:
        """Send nothing more."""
        self._work.close()

    def _send(self, spec: FunctionSpec, *, stream: str, lines: tuple[LogLine, ...]) -> None:
        try:
            logs = self._clients.as_role(
                "logs",
                role_arn=spec.role_arn,
                principal=LAMBDA_PRINCIPAL,
                session_name=spec.session_name,
                region=spec.region,
            )
            key = (spec.account, spec.log_group, stream)
            if key not in self._streams:
                _create_stream(logs, group=spec.log_group, stream=stream)
                self._streams.add(key)
            events = [{"timestamp": moment, "message": text or " "} for moment, text in lines]
            for first in range(0, len(events), _MOST_EVENTS):
                logs.put_log_events(
                    logGroupName=spec.log_group,
                    logStreamName=stream,
                    logEvents=events[first : first + _MOST_EVENTS],
                )
        except (ClientError, BotoCoreError) as error:
            _log.warning("the log of function %s is lost (role %s): %s", spec.name, spec.role_arn, error)


def _create_stream(logs: Any, *, group: str, stream: str) -> None:
    """The stream, and the group if nobody has made it."""
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        return
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    try:
        logs.create_log_group(logGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
