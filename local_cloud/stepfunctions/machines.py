"""State machines themselves: create, read, update, delete, list, validate, and their tags.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stepfunctions.book import Book, Revision, StateMachine
from local_cloud.stepfunctions.definition import check_definition
from local_cloud.stepfunctions.paging import page
from local_cloud.stepfunctions.tasks import PRINCIPAL, SESSION
from local_cloud.stores import Partitioned

_LIMITS = (
    "definitions in JSONPath; JSONata, Express workflows, versions, customer-managed encryption, activities, "
    "distributed Map and Credentials are refused; logging and tracing configurations are kept without an effect"
)
_NO_LOGGING: Mapping[str, Any] = {"level": "OFF", "includeExecutionData": False}
_NO_TRACING: Mapping[str, Any] = {"enabled": False}


class StateMachines:
    """The operations on state machines. `parse` is the interpreter's; it raises ValueError."""

    def __init__(
        self, books: Partitioned[Book], *, clients: Clients, clock: Clock, parse: Callable[[str], None]
    ) -> None:
        self._books = books
        self._clients = clients
        self._clock = clock
        self._parse = parse

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateStateMachine": Operation(self._create, note=_LIMITS),
            "DescribeStateMachine": Operation(self._describe),
            "DescribeStateMachineForExecution": Operation(self._describe_for_execution),
            "UpdateStateMachine": Operation(self._update, note=_LIMITS),
            "DeleteStateMachine": Operation(self._delete, note="running executions go on to their end"),
            "ListStateMachines": Operation(self._list),
            "ValidateStateMachineDefinition": Operation(self._validate, note="the first kind of mistake found"),
            "ListTagsForResource": Operation(self._list_tags),
            "TagResource": Operation(self._tag),
            "UntagResource": Operation(self._untag),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        _refuse_unknown_kinds(params)
        arn = f"arn:aws:states:{context.region}:{context.account}:stateMachine:{params['name']}"
        revision = self._revision(params, None, arn=arn)
        tags = {tag["key"]: tag["value"] for tag in params.get("tags", [])}
        book = self._books.of(context)
        with book.lock:
            known = book.machines.get(arn)
            if known is None:
                known = book.machines[arn] = StateMachine(arn, params["name"], revision.updated, revision, tags)
            elif _content(known.revision) != _content(revision):
                raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return {"stateMachineArn": arn, "creationDate": known.created}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        _refuse_unknown_kinds(params)
        book = self._books.of(context)
        changed = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
        if not any(name in params for name in changed):
            raise ServiceError(
                "MissingRequiredParameter", f"Give at least one of {', '.join(changed)}: there is nothing to update."
            )
        machine = book.machine(params["stateMachineArn"])
        revision = self._revision(params, machine.revision, arn=machine.arn)
        with book.lock:
            machine.revision = revision
        return {"updateDate": revision.updated, "revisionId": revision.id}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        machine = self._books.of(context).machine(params["stateMachineArn"])
        return {
            **_described(machine, machine.revision),
            "status": "ACTIVE",
            "type": "STANDARD",
            "creationDate": machine.created,
        }

    def _describe_for_execution(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["executionArn"])
        return {**_described(execution.machine, execution.revision), "updateDate": execution.revision.updated}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            book.machines.pop(params["stateMachineArn"], None)
        return {}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        machines = sorted(self._books.of(context).machines.values(), key=lambda machine: machine.created)
        found, more = page(machines, params, identity=lambda machine: machine.arn)
        summaries = [
            {
                "stateMachineArn": machine.arn,
                "name": machine.name,
                "type": "STANDARD",
                "creationDate": machine.created,
            }
            for machine in found
        ]
        return {"stateMachines": summaries, **more}

    def _validate(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        try:
            check_definition(params["definition"], parse=self._parse)
        except ServiceError as error:
            diagnostic = {"severity": "ERROR", "code": error.code, "message": error.message}
            return {"result": "FAIL", "diagnostics": [diagnostic], "truncated": False}
        return {"result": "OK", "diagnostics": [], "truncated": False}

    def _list_tags(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._tagged(context, params).tags
        return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}

    def _tag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        machine, book = self._tagged(context, params), self._books.of(context)
        with book.lock:
            machine.tags |= {tag["key"]: tag["value"] for tag in params["tags"]}
        return {}

    def _untag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        machine, book = self._tagged(context, params), self._books.of(context)
        with book.lock:
            machine.tags = {key: value for key, value in machine.tags.items() if key not in params["tagKeys"]}
        return {}

    def _tagged(self, context: RequestContext, params: Mapping[str, Any]) -> StateMachine:
        machine = self._books.of(context).machines.get(params["resourceArn"])
        if machine is None:
            raise ServiceError("ResourceNotFound", f"Resource not found: '{params['resourceArn']}'")
        return machine

    def _revision(self, params: Mapping[str, Any], old: Revision | None, *, arn: str) -> Revision:
        """The revision that a request makes of `old`. Raises ServiceError if it could not be executed."""
        if "definition" in params:
            check_definition(params["definition"], parse=self._parse)
        if "roleArn" in params:
            self._check_role(params["roleArn"], arn)
        return Revision(
            id=str(uuid.uuid4()),
            definition=params.get("definition") or (old.definition if old else ""),
            role_arn=params.get("roleArn") or (old.role_arn if old else ""),
            logging=params.get("loggingConfiguration") or (old.logging if old else _NO_LOGGING),
            tracing=params.get("tracingConfiguration") or (old.tracing if old else _NO_TRACING),
            updated=self._clock.now(),
        )

    def _check_role(self, role_arn: str, machine_arn: str) -> None:
        if role_arn.split(":")[:3] != ["arn", "aws", "iam"]:
            raise ServiceError("InvalidArn", f"Invalid Role Arn: '{role_arn}'")
        try:
            self._clients.role_credentials(
                role_arn,
                principal=PRINCIPAL,
                session_name=SESSION,
                region=machine_arn.split(":")[3],
                source_arn=machine_arn,
            )
        except ClientError as error:
            text = f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized to assume "
            raise ServiceError("AccessDeniedException", f"{text}the provided role: {role_arn}.") from error


def _refuse_unknown_kinds(params: Mapping[str, Any]) -> None:
    if params.get("type", "STANDARD") != "STANDARD":
        raise ServiceError(
            "StateMachineTypeNotSupported", "Express workflows are not emulated by the local cloud; use STANDARD."
        )
    if params.get("publish"):
        raise ServiceError(
            "ValidationException", "Versions of state machines are not emulated by the local cloud; leave out publish."
        )
    if params.get("encryptionConfiguration", {}).get("type", "AWS_OWNED_KEY") != "AWS_OWNED_KEY":
        raise ServiceError(
            "InvalidEncryptionConfiguration",
            "Customer-managed keys of state machines are not emulated by the local cloud.",
        )


def _content(revision: Revision) -> tuple[Any, ...]:
    """What makes a repeated CreateStateMachine the same request; the role does not count, as on AWS."""
    return revision.definition, revision.logging, revision.tracing


def _described(machine: StateMachine, revision: Revision) -> dict[str, Any]:
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "revisionId": revision.id,
    }
