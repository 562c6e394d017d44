"""Waiting on the scaled clock: Wait, Retry, TimeoutSeconds and HeartbeatSeconds.

A task that does real work is given half a minute of real time, or what it asks for if that is less. Wait until a
timestamp reads it as UTC, whatever the machine's time zone is. Patches: the modules' own `threading`, `time` and
`Event`, `WaitFunction._wait_interval` and `Timestamp._get_wait_seconds`.
"""

import threading
import time
from datetime import datetime
from types import SimpleNamespace

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program as asl_program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.environment import Environment

_original_seconds_until = Timestamp._get_wait_seconds


def install(scale: float, shortest_work_seconds: float) -> None:
    """Let a second of cloud time last `scale` real seconds, but leave tasks `shortest_work_seconds` of real time."""

    class WorkEvent(threading.Event):
        """The end of a task. Functions and jobs do not run faster than they do, whatever the clock's scale."""

        def wait(self, timeout: float | None = None) -> bool:
            limit = float("inf") if timeout is None else timeout
            return super().wait(min(limit, max(limit * scale, shortest_work_seconds), threading.TIMEOUT_MAX))

    class ScaledEvent(threading.Event):
        """An event whose time limits are seconds of cloud time."""

        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(None if timeout is None else timeout * scale)

    class ScaledThread(threading.Thread):
        """A thread that is waited for in seconds of cloud time."""

        def join(self, timeout: float | None = None) -> None:
            super().join(None if timeout is None else timeout * scale)

    def wait_interval(self: WaitFunction, env: Environment, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds * scale
        while env.is_running() and (remaining := deadline - time.monotonic()) > 0:
            env.program_state_event.wait(remaining)

    execute_state.threading = SimpleNamespace(Event=WorkEvent)
    callback.Event = ScaledEvent
    asl_program.threading = SimpleNamespace(Thread=ScaledThread)
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * scale))  # a retry's own interval
    WaitFunction._wait_interval = wait_interval
    Timestamp._get_wait_seconds = _seconds_until


def _seconds_until(self: Timestamp, env: Environment) -> float:
    """moto takes the difference between a moment in UTC and the local time."""
    offset = datetime.now().astimezone().utcoffset()
    return float(_original_seconds_until(self, env)) + (offset.total_seconds() if offset else 0.0)
