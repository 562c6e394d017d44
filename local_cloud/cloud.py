"""One local cloud as a whole: what it hands to moto, its status, and how it is emptied and ended.

It builds no engine (`composition.py` does) and knows nothing of HTTP (`server.py` and `control_pages.py` do).
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from local_cloud.cloudwatch.embedded_metrics import EmbeddedMetrics
from local_cloud.composition import build_engines, lay_foundation
from local_cloud.events.pattern import matches
from local_cloud.moto import installation
from local_cloud.moto.hooks import Hooks


class _Stoppable(Protocol):
    def reset(self) -> None: ...

    def close(self) -> None: ...


class Cloud:
    """Every engine of one local cloud, wired together; `wait_scale` is the factor on AWS's waiting times."""

    def __init__(self, *, port: int, state_directory: Path, wait_scale: float) -> None:
        self._base = lay_foundation(port=port, directory=state_directory, wait_scale=wait_scale)
        self._engines = build_engines(self._base)

    def hooks(self) -> Hooks:
        """What moto hands over to the engines."""
        engines = self._engines
        return Hooks(
            services=engines.services(),
            gate=self._base.authorizer,
            deliver=engines.delivery.deliver,
            emit=self._base.events.emit,
            invoke=engines.functions.invoke,
            invoke_later=engines.later.invoke,
            observe_logs=EmbeddedMetrics(self._base.metrics).take,
            matches=matches,
            check_schedule=engines.rules.check,
            rules_changed=engines.rules.changed,
            mail=engines.mail,
        )

    def reset(self) -> None:
        """Stop what runs and forget everything: the account is as new afterwards."""
        self._base.timetable.clear()
        self._engines.rules.reset()
        for engine in self._in_stopping_order():
            engine.reset()
        installation.reset()
        self._engines.mail.reset()
        self._base.clients.forget_roles()
        self._base.authorizer.reset()

    def close(self) -> None:
        """Stop every engine and every child process."""
        self._base.timetable.close()
        for engine in self._in_stopping_order():
            engine.close()
        self._base.processes.stop_all()

    def wait_until_idle(self, *, timeout: float) -> bool:
        """Whether every event was delivered and every function it invoked has ended, within `timeout` seconds."""
        engines = self._engines
        working = (
            engines.hosting,
            engines.alarms,
            engines.scheduler,
            engines.delivery,
            engines.later,
            engines.functions,
        )
        ledger = engines.delivery.ledger
        deadline = time.monotonic() + timeout
        while (remaining := deadline - time.monotonic()) > 0:
            before = len(ledger.entries())
            if all(engine.wait_until_idle(remaining) for engine in working) and len(ledger.entries()) == before:
                return True
        return False

    def complete_custom_resource(self, request_id: str, response: Mapping[str, Any]) -> None:
        """Hand in what a custom resource's function put to its ResponseURL."""
        self._engines.cloudformation.complete_custom_resource(request_id, response)

    def decisions(self) -> list[dict[str, Any]]:
        """Every authorization so far, allowed or refused."""
        return [asdict(entry) for entry in self._base.authorizer.log.entries()]

    def status(self) -> dict[str, Any]:
        """What `python -m local_cloud status` shows of the engines."""
        engines = self._engines
        return {
            "running": True,
            "pid": os.getpid(),
            "refused": self._base.authorizer.refusals(),
            "deliveries": engines.delivery.ledger.entries(),
            "endpoints": engines.hosting.status(),
            "state_machines": engines.stepfunctions.status(),
            "mail": engines.mail.status(),
        }

    def _in_stopping_order(self) -> Sequence[_Stoppable]:
        """In which engines can be stopped: functions end what asynchronous invocations wait for."""
        engines = self._engines
        return (
            engines.stepfunctions,
            engines.codepipeline,
            engines.cloudformation,
            engines.hosting,
            engines.sagemaker,
            engines.cloudwatch,
            engines.functions,
            engines.later,
            engines.scheduler,
            engines.delivery,
        )
