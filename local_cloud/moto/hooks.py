"""What moto hands over to the engines of the local cloud. Nothing of moto is named here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local_cloud.authorization import ApiRequest
from local_cloud.functions.specification import FunctionSpec, InvocationResult
from local_cloud.mail import Mailboxes
from local_cloud.service import RequestContext, Service


class Gate(Protocol):
    """Decides every request; raises ServiceError when it is refused."""

    def authorize(self, request: ApiRequest) -> None: ...


class Deliver(Protocol):
    """Hands an event to one target of one rule; returns at once."""

    def __call__(
        self, *, account: str, region: str, rule_arn: str, target: Mapping[str, Any], event: dict[str, Any]
    ) -> None: ...


@dataclass(frozen=True)
class Hooks:
    """The engines that take over from moto."""

    services: Sequence[Service]
    gate: Gate
    deliver: Deliver
    emit: Callable[..., None]
    invoke: Callable[[FunctionSpec, str], InvocationResult]
    invoke_later: Callable[[FunctionSpec, str], str]
    observe_logs: Callable[[RequestContext, Mapping[str, Any]], None]
    matches: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    check_schedule: Callable[[str], None]
    rules_changed: Callable[[str, str], None]
    mail: Mailboxes
