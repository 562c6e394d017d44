"""Creates, updates and deletes single resources: events before and after, readable failures, stabilisation.

It decides nothing about order; that is the executor's.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudformation.errors import HandlerFailure, ReplacementFailure, ReplacementNeeded, ResourceFailure
from local_cloud.cloudformation.events import StackEvent, event_id
from local_cloud.cloudformation.handler_failures import explained, is_gone
from local_cloud.cloudformation.plan import changed_properties, needs_replacement
from local_cloud.cloudformation.providers.base import Physical, Provider, ResourceContext
from local_cloud.cloudformation.providers.registry import ProviderRegistry
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.stacks import LiveResource, Stack
from local_cloud.cloudformation.template import ResourceDefinition

_POLL_SECONDS = 0.02
_STABILISATION_SECONDS = 1800.0


@dataclass(frozen=True)
class Toolbox:
    """What every operation of one engine shares."""

    clients: Clients
    clock: Clock
    schemas: SchemaStore
    providers: ProviderRegistry
    stopped: Event
    """Set when the engine is reset: whatever runs gives up."""


class CreationFailure(ResourceFailure):
    """A creation that failed; `begun` is the physical resource it may have left behind."""

    def __init__(self, logical_id: str, reason: str, begun: LiveResource | None) -> None:
        super().__init__(logical_id, "create", reason)
        self.begun = begun


class ResourceOperator:
    """Changes resources of one stack within one operation."""

    def __init__(self, stack: Stack, tools: Toolbox, *, token: str | None = None) -> None:
        self._stack = stack
        self._tools = tools
        self._token = token
        self.operation_id = str(uuid.uuid4())

    def begin(self, kind: str) -> None:
        """Start a new operation id (a rollback is an operation of its own)."""
        self.operation_id = str(uuid.uuid4())
        entry = {"OperationType": kind, "OperationId": self.operation_id}
        self._stack.operations = [entry, *self._stack.operations]

    def create(self, definition: ResourceDefinition, properties: Mapping[str, Any]) -> LiveResource:
        """A new physical resource; raises CreationFailure."""
        begun: list[Physical] = []
        provider = self._tools.providers.get(definition.type)
        context = self._context(definition, begun.append)
        self._event(definition, "CREATE_IN_PROGRESS", properties=properties)
        try:
            self._check_not_reset()
            physical = provider.create(context, properties)
            begun.append(physical)
            self._stabilise(provider, context, physical)
        except Exception as error:  # whatever a provider raises must end as a failed resource, never as a hung stack
            reason = self._reason(definition, error)
            physical_id = begun[-1].id if begun else ""
            self._event(definition, "CREATE_FAILED", physical_id=physical_id, reason=reason, properties=properties)
            left = self._live(definition, begun[-1], properties, "CREATE_FAILED") if begun else None
            raise CreationFailure(definition.logical_id, reason, left) from error
        self._event(definition, "CREATE_COMPLETE", physical_id=physical.id, properties=properties)
        return self._live(definition, physical, properties, "CREATE_COMPLETE")

    def adopt(self, definition: ResourceDefinition, properties: Mapping[str, Any]) -> LiveResource | None:
        """An existing resource taken into the stack as it is, or None; only resources that are retained qualify."""
        if definition.deletion_policy == "Delete":
            return None
        provider = self._tools.providers.get(definition.type)
        physical = provider.find(self._context(definition, lambda _: None), properties)
        if physical is None:
            return None
        self._event(definition, "IMPORT_IN_PROGRESS", physical_id=physical.id, properties=properties)
        self._event(definition, "IMPORT_COMPLETE", physical_id=physical.id, properties=properties)
        return self._live(definition, physical, properties, "IMPORT_COMPLETE")

    def update(
        self, live: LiveResource, definition: ResourceDefinition, properties: Mapping[str, Any]
    ) -> tuple[LiveResource, bool]:
        """The resource after the change, and whether it is a new physical one; raises ResourceFailure."""
        schema = self._tools.schemas.get(definition.type)
        provider = self._tools.providers.get(definition.type)
        context = self._context(definition, lambda _: None)
        self._event(definition, "UPDATE_IN_PROGRESS", physical_id=live.physical_id, properties=properties)
        try:
            self._check_not_reset()
            if needs_replacement(changed_properties(live.properties, properties, schema)) != "False":
                raise ReplacementNeeded
            before = Physical(live.physical_id, live.attributes)
            physical = provider.update(context, before, live.properties, properties)
            self._stabilise(provider, context, physical)
        except ReplacementNeeded:
            return self._replace(provider, live, definition, properties)
        except Exception as error:  # as in `create`
            raise self._update_failed(live.physical_id, definition, properties, error) from error
        self._event(definition, "UPDATE_COMPLETE", physical_id=physical.id, properties=properties)
        return self._live(definition, physical, properties, "UPDATE_COMPLETE"), physical.id != live.physical_id

    def delete(self, live: LiveResource) -> None:
        """Remove a physical resource; raises ResourceFailure."""
        definition = live.definition
        self._event(definition, "DELETE_IN_PROGRESS", physical_id=live.physical_id)
        provider = self._tools.providers.get(definition.type)
        try:
            self._check_not_reset()
            physical = Physical(live.physical_id, live.attributes)
            provider.delete(self._context(definition, lambda _: None), physical, live.properties)
        except Exception as error:  # as in `create`; what is gone already counts as deleted
            if not is_gone(error):
                reason = self._reason(definition, error)
                self._event(definition, "DELETE_FAILED", physical_id=live.physical_id, reason=reason)
                raise ResourceFailure(definition.logical_id, "delete", reason) from error
        self._event(definition, "DELETE_COMPLETE", physical_id=live.physical_id)

    def skip_deletion(self, live: LiveResource) -> None:
        """Note that a resource is left behind on purpose."""
        self._event(live.definition, "DELETE_SKIPPED", physical_id=live.physical_id)

    def refuse(self, definition: ResourceDefinition, live: LiveResource | None, reason: str) -> ResourceFailure:
        """The failure of a resource whose properties cannot even be handed to its provider."""
        self._event(
            definition,
            "UPDATE_FAILED" if live else "CREATE_FAILED",
            physical_id=live.physical_id if live else "",
            reason=self._located(definition, reason),
        )
        return ResourceFailure(definition.logical_id, "update" if live else "create", self._located(definition, reason))

    def stack_event(self, status: str, reason: str | None = None) -> None:
        """Put the stack into a state. History comes first: who sees the final state has all events to read."""
        self._stack.events.add(
            StackEvent(
                event_id(self._stack.name, status),
                self.operation_id,
                self._tools.clock.now(),
                self._stack.name,
                self._stack.id,
                "AWS::CloudFormation::Stack",
                status,
                reason=reason,
                token=self._token,
            )
        )
        self._stack.reason, self._stack.status = reason, status

    def _replace(
        self, provider: Provider, live: LiveResource, definition: ResourceDefinition, properties: Mapping[str, Any]
    ) -> tuple[LiveResource, bool]:
        name = provider.name_property
        if name and name in properties and properties[name] == live.properties.get(name):
            failure = HandlerFailure(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[name]} and update the stack again."
            )
            raise self._update_failed(live.physical_id, definition, properties, failure, kind=ReplacementFailure)
        note = "Requested update requires the creation of a new physical resource; hence creating one."
        self._event(definition, "UPDATE_IN_PROGRESS", physical_id=live.physical_id, reason=note)
        begun: list[Physical] = []
        context = self._context(definition, begun.append)
        try:
            physical = provider.create(context, properties)
            begun.append(physical)
            self._stabilise(provider, context, physical)
        except Exception as error:  # as in `create`; a half-made replacement is removed at once
            for physical in begun[-1:]:
                self.delete(self._live(definition, physical, properties, "UPDATE_FAILED"))
            failed = self._update_failed(live.physical_id, definition, properties, error, kind=ReplacementFailure)
            raise failed from error
        self._event(definition, "UPDATE_COMPLETE", physical_id=physical.id, properties=properties)
        return self._live(definition, physical, properties, "UPDATE_COMPLETE"), True

    def _update_failed(
        self,
        physical_id: str,
        definition: ResourceDefinition,
        properties: Mapping[str, Any],
        error: Exception,
        *,
        kind: type[ResourceFailure] = ResourceFailure,
    ) -> ResourceFailure:
        reason = self._reason(definition, error)
        self._event(definition, "UPDATE_FAILED", physical_id=physical_id, reason=reason, properties=properties)
        return kind(definition.logical_id, "update", reason)

    def _check_not_reset(self) -> None:
        if self._tools.stopped.is_set():
            raise HandlerFailure("The local cloud was reset")

    def _stabilise(self, provider: Provider, context: ResourceContext, physical: Physical) -> None:
        # A service gives no signal when it is done, so its state is asked for, as CloudFormation does.
        deadline = time.monotonic() + _STABILISATION_SECONDS
        while not provider.is_stable(context, physical):
            if time.monotonic() > deadline:
                raise HandlerFailure(f"Exceeded {_STABILISATION_SECONDS:.0f} s of waiting", code="NotStabilized")
            if self._tools.stopped.wait(_POLL_SECONDS):
                raise HandlerFailure("The local cloud was reset", code="NotStabilized")

    def _live(
        self, definition: ResourceDefinition, physical: Physical, properties: Mapping[str, Any], status: str
    ) -> LiveResource:
        return LiveResource(definition, physical.id, physical.attributes, properties, status, self._tools.clock.now())

    def _context(self, definition: ResourceDefinition, report: Callable[[Physical], None]) -> ResourceContext:
        return ResourceContext(
            account=self._stack.context.account,
            region=self._stack.context.region,
            stack_name=self._stack.name,
            stack_id=self._stack.id,
            logical_id=definition.logical_id,
            type=definition.type,
            clients=self._tools.clients,
            report=report,
        )

    def _event(
        self,
        definition: ResourceDefinition,
        status: str,
        *,
        physical_id: str = "",
        reason: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        self._stack.events.add(
            StackEvent(
                event_id(definition.logical_id, status),
                self.operation_id,
                self._tools.clock.now(),
                definition.logical_id,
                physical_id,
                definition.type,
                status,
                reason=reason,
                properties=None if properties is None else self._masked(json.dumps(properties, default=str)),
                token=self._token,
            )
        )

    def _masked(self, text: str) -> str:
        for parameter in self._stack.parameters.values():
            if parameter.no_echo and parameter.value:
                text = text.replace(parameter.value, "****")
        return text

    def _reason(self, definition: ResourceDefinition, error: Exception) -> str:
        message, code = explained(error)
        details = f"(RequestToken: {self.operation_id}, HandlerErrorCode: {code})"
        return self._located(definition, f'Resource handler returned message: "{message}" {details}')

    def _located(self, definition: ResourceDefinition, text: str) -> str:
        path = definition.construct_path
        return f"{self._masked(text)} (construct: {path})" if path else self._masked(text)
