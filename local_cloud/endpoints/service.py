"""SageMaker hosting as the local cloud runs it: models, endpoint configurations, endpoints and their runtime.

Its operations are part of the service `sagemaker`, whose other operations belong to `local_cloud.sagemaker`.
"""

from pathlib import Path
from typing import Any

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.endpoints.book import HostingBook
from local_cloud.endpoints.configs import EndpointConfigs
from local_cloud.endpoints.fleet import FleetTools
from local_cloud.endpoints.hosting import Endpoints
from local_cloud.endpoints.invocation_metrics import InvocationMetrics, RecordMetric
from local_cloud.endpoints.models import Models
from local_cloud.endpoints.rollout import AlarmState
from local_cloud.endpoints.runtime import Runtime
from local_cloud.endpoints.shadow import ShadowCopies
from local_cloud.endpoints.views import status_page
from local_cloud.events.bus import EventBus
from local_cloud.images import ImageStore
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, Service
from local_cloud.stores import Partitioned


class Hosting:
    """The engine. `directory` is the server's state directory; nothing is written before the first endpoint.

    `alarm_state` gives the state of an alarm by account, region and name; `record_metric` takes what is measured.
    """

    def __init__(
        self,
        *,
        clients: Clients,
        clock: Clock,
        events: EventBus,
        processes: ProcessTable,
        images: ImageStore,
        directory: Path,
        alarm_state: AlarmState,
        record_metric: RecordMetric,
    ) -> None:
        self._model = ApiModel("sagemaker")
        self._books: Partitioned[HostingBook] = Partitioned(HostingBook)
        self._tags = Tags(self._knows)
        self._metrics = InvocationMetrics(record_metric, clock=clock)
        self._shadows = ShadowCopies(self._metrics)
        tools = FleetTools(clients, clock, processes, images, directory / "endpoints")
        self._models = Models(self._books, clients=clients, clock=clock, images=images, tags=self._tags)
        self._configs = EndpointConfigs(self._books, clock=clock, tags=self._tags)
        self._endpoints = Endpoints(self._books, tools=tools, events=events, tags=self._tags, alarm_state=alarm_state)
        self._runtime = Runtime(self._books, clock=clock, metrics=self._metrics, shadows=self._shadows)

    def extended(self, sagemaker: Service) -> Service:
        """The service `sagemaker` with hosting in it. Tagging goes to the engine that has the resource."""
        tables = (self._models.operations(), self._configs.operations(), self._endpoints.operations())
        own = {name: operation for table in tables for name, operation in table.items()}
        tagging = {
            name: self._divided(operation, sagemaker.operations[name])
            for name, operation in self._model.checked(self._tags.operations()).items()
        }
        return Service(sagemaker.name, {**sagemaker.operations, **self._model.checked(own), **tagging})

    def runtime(self) -> Service:
        """The service `sagemaker-runtime`."""
        return self._runtime.service()

    def status(self) -> list[dict[str, Any]]:
        """All endpoints with their servers and the history of their traffic, for the status page."""
        return [status_page(endpoint) for book in self._books for endpoint in list(book.endpoints.values())]

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether every copy for a shadow was answered and every captured event is in S3, within about `timeout`."""
        return self._shadows.wait_until_idle(timeout) and self._endpoints.flush_captures(timeout)

    def reset(self) -> None:
        """Stop all servers and forget all resources."""
        self._endpoints.abandon_all()
        self._shadows.wait_until_idle(1)
        self._endpoints.join_all()
        self._books.clear()
        self._tags.clear()
        self._metrics.reset()

    def close(self) -> None:
        """Stop all servers.

        Nothing is written any more: the server does not answer the engine's own requests, and S3, which it keeps in
        memory, ends with it. Who wants every captured event waits until the engine is idle, or deletes the endpoint.
        """
        self._endpoints.abandon_all()
        self._shadows.close()
        self._metrics.close()

    def _knows(self, context: RequestContext, arn: str) -> bool:
        return self._books.of(context).knows(context, arn)

    def _divided(self, own: Operation, other: Operation) -> Operation:
        def handle(context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
            chosen = own if self._knows(context, str(params.get("ResourceArn", ""))) else other
            return chosen.handler(context, params) if chosen.handler else {}

        return Operation(handle, other.fidelity, other.note)
