"""The CloudFormation engine as the server sees it: its operation table, its reset, its custom resource call-backs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudformation.change_set_requests import ChangeSetRequests
from local_cloud.cloudformation.custom_resources import CallbackDesk
from local_cloud.cloudformation.operator import Toolbox
from local_cloud.cloudformation.partition import Partition
from local_cloud.cloudformation.providers.catalogue import default_providers
from local_cloud.cloudformation.providers.registry import ProviderRegistry, SupportedType
from local_cloud.cloudformation.read_requests import ReadRequests
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.stack_requests import StackRequests
from local_cloud.service import Service
from local_cloud.stores import Partitioned

_JOIN_SECONDS = 10.0


class CloudFormation:
    """CloudFormation for every account and region of one local cloud."""

    def __init__(self, *, clients: Clients, clock: Clock, providers: ProviderRegistry | None = None) -> None:
        self._desk = CallbackDesk(clients.endpoint_url)
        self._tools = Toolbox(
            clients=clients,
            clock=clock,
            schemas=SchemaStore(),
            providers=providers or default_providers(self._desk),
            stopped=Event(),
        )
        self._partitions: Partitioned[Partition] = Partitioned(lambda: Partition(self._tools))

    def service(self) -> Service:
        """The operation table."""
        parts = (StackRequests(self._partitions), ChangeSetRequests(self._partitions), ReadRequests(self._partitions))
        operations = {name: operation for part in parts for name, operation in part.operations().items()}
        return Service("cloudformation", operations)

    def supported_types(self) -> Sequence[SupportedType]:
        """Every resource type that can be deployed, for the coverage page."""
        return self._tools.providers.coverage()

    def complete_custom_resource(self, request_id: str, response: Mapping[str, Any]) -> bool:
        """Hand in what a custom resource's Lambda function put to its ResponseURL; False if nobody waits for it."""
        return self._desk.complete(request_id, response)

    def reset(self) -> None:
        """Stop running operations and forget every stack."""
        self.close()
        self._partitions.clear()
        self._tools = replace(self._tools, stopped=Event())

    def close(self) -> None:
        """Stop running operations."""
        self._tools.stopped.set()
        self._desk.abandon()
        for partition in self._partitions:
            partition.operations.join(_JOIN_SECONDS)
