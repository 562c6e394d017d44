"""Endpoints: Create, Describe, List, Update, UpdateEndpointWeightsAndCapacities, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

import threading
from collections.abc import Callable
from typing import Any

from local_cloud.endpoints import rollout
from local_cloud.endpoints.alarm_access import check_alarms
from local_cloud.endpoints.book import HostingBook, check_new
from local_cloud.endpoints.deployment_policy import deployment_policy
from local_cloud.endpoints.endpoint import SETTLED, Endpoint, EndpointStatus
from local_cloud.endpoints.fleet import Fleet, FleetTools, reweighted
from local_cloud.endpoints.fleet_plan import FleetPlan, check_same_variants, plan_fleet, retained
from local_cloud.endpoints.listing import list_resources
from local_cloud.endpoints.views import DEPLOYMENT_EVENT, STATUS_EVENT, describe, event_detail, summary
from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.events import SOURCE
from local_cloud.sagemaker.listing import within
from local_cloud.sagemaker.refusals import refuse
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

_KINDS = ("endpoint", "endpoint")
_LET_GO_SECONDS = 30.0
_CREATE_NOTE = (
    "Variants are real server processes on this machine; one that ends, or fails /ping three times in a row, is "
    "replaced."
)
_UPDATE_NOTE = (
    "Blue/green with all-at-once, canary and linear shifting, rollback on alarms and on a new fleet that does not "
    "start, or not within MaximumExecutionTimeoutInSeconds; rolling updates are refused. Waiting times follow the "
    "clock's scale, and count in seconds of cloud time; the start of a server takes as long as it takes."
)


class Endpoints:
    """The API of endpoints."""

    def __init__(
        self,
        books: Partitioned[HostingBook],
        *,
        tools: FleetTools,
        events: EventBus,
        tags: Tags,
        alarm_state: rollout.AlarmState,
    ) -> None:
        self._books = books
        self._tools = tools
        self._events = events
        self._tags = tags
        self._alarm_state = alarm_state
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateEndpoint": Operation(self._create, note=_CREATE_NOTE),
            "DescribeEndpoint": Operation(self._describe),
            "ListEndpoints": Operation(self._list),
            "UpdateEndpoint": Operation(self._update, note=_UPDATE_NOTE),
            "UpdateEndpointWeightsAndCapacities": Operation(
                self._resize, note="Weights route; instance counts are counted only."
            ),
            "DeleteEndpoint": Operation(self._delete),
        }

    def abandon_all(self) -> None:
        """Stop all servers and end all deployments without a word."""
        endpoints = [endpoint for book in self._books for endpoint in list(book.endpoints.values())]
        for endpoint in endpoints:
            endpoint.abandoned.set()
        for endpoint in endpoints:
            for fleet in endpoint.fleets:
                fleet.abandon()

    def flush_captures(self, timeout: float) -> bool:
        """Write what was captured so far; whether all of it is in S3 within about `timeout` seconds."""
        endpoints = [endpoint for book in self._books for endpoint in list(book.endpoints.values())]
        return all(fleet.flush_captures(timeout) for endpoint in endpoints for fleet in endpoint.fleets)

    def join_all(self) -> None:
        """Wait until the threads of abandoned deployments have ended."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(_LET_GO_SECONDS)

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        name = params["EndpointName"]
        config = params.get("DeploymentConfig")
        with book.lock:
            resource_arn = check_new(book.endpoints, context, _KINDS, name)
            plan = plan_fleet(book, context, params["EndpointConfigName"])
            deployment_policy(config or {}, instance_counts=plan.instance_counts)
            self._tags.put(resource_arn, params.get("Tags"))
            fleet = self._fleet(context, name, plan)
            endpoint = Endpoint(
                account=context.account,
                region=context.region,
                name=name,
                arn=resource_arn,
                config_name=plan.config_name,
                deployment_config=config,
                clock=self._tools.clock,
                on_status=lambda changed: self._emit(changed, STATUS_EVENT),
                on_stage=lambda changed: self._emit(changed, DEPLOYMENT_EVENT),
            )
            book.endpoints[name.lower()] = endpoint
        endpoint.begin(fleet)
        endpoint.enter(EndpointStatus.CREATING)
        self._run(name, lambda: rollout.create(endpoint, fleet))
        return {"EndpointArn": resource_arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return describe(self._books.of(context).endpoint(context, params["EndpointName"]))

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        def matches(endpoint: Endpoint) -> bool:
            return params.get("StatusEquals") in (None, endpoint.status) and within(
                endpoint.modified,
                after=params.get("LastModifiedTimeAfter"),
                before=params.get("LastModifiedTimeBefore"),
            )

        found, more = list_resources(
            self._books.of(context).endpoints, params, matches=matches, Status=lambda endpoint: endpoint.status
        )
        return {"Endpoints": [summary(endpoint) for endpoint in found], **more}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            endpoint, blue = self._serving(book, context, params["EndpointName"])
            plan = plan_fleet(book, context, params["EndpointConfigName"])
            if params.get("RetainAllVariantProperties"):
                excluded = {item["VariantPropertyType"] for item in params.get("ExcludeRetainedVariantProperties", ())}
                plan = retained(plan, blue, excluded=excluded)
            config = params.get("DeploymentConfig") or (
                endpoint.deployment_config if params.get("RetainDeploymentConfig") else None
            )
            policy = deployment_policy(config or {}, instance_counts=plan.instance_counts)
            if config:
                check_same_variants(plan, blue)
            check_alarms(policy.alarms, role=plan.role(self._tools.clients, context))
            endpoint.deployment_config = config
            green = self._fleet(context, endpoint.name, plan)
            update = rollout.BlueGreenUpdate(
                endpoint, blue, green, policy=policy, clock=self._tools.clock, alarm_state=self._alarm_state
            )
            endpoint.begin(green)
            endpoint.enter(EndpointStatus.UPDATING)
        self._run(endpoint.name, update.run)
        return {"EndpointArn": endpoint.arn}

    def _resize(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("DesiredWeightsAndCapacities.ServerlessUpdateConfig",))
        book = self._books.of(context)
        with book.lock:
            endpoint, fleet = self._serving(book, context, params["EndpointName"])
            specs = {spec.name: spec for spec in fleet.specs if not spec.shadow}
            changed = []
            for wanted in params["DesiredWeightsAndCapacities"]:
                if wanted["VariantName"] not in specs:
                    raise invalid(f'Could not find variant "{wanted["VariantName"]}" of endpoint "{endpoint.arn}".')
                weight, count = wanted.get("DesiredWeight"), wanted.get("DesiredInstanceCount")
                changed.append(reweighted(specs[wanted["VariantName"]], weight=weight, instance_count=count))
            endpoint.enter(EndpointStatus.UPDATING)

        def resize() -> None:
            fleet.resize(changed)
            endpoint.router.route([(fleet, 1.0)])
            endpoint.enter(EndpointStatus.IN_SERVICE)

        self._run(endpoint.name, resize)
        return {"EndpointArn": endpoint.arn}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            endpoint = self._settled(book, context, params["EndpointName"])
            endpoint.enter(EndpointStatus.DELETING)

        def delete() -> None:
            rollout.delete(endpoint)
            with book.lock:
                book.endpoints.pop(endpoint.name.lower(), None)
            self._tags.drop(endpoint.arn)

        self._run(endpoint.name, delete)
        return {}

    def _settled(self, book: HostingBook, context: RequestContext, name: str) -> Endpoint:
        endpoint = book.endpoint(context, name)
        if endpoint.status not in SETTLED:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return endpoint

    def _serving(self, book: HostingBook, context: RequestContext, name: str) -> tuple[Endpoint, Fleet]:
        """An endpoint that can be updated. One whose creation failed can only be deleted, as on AWS."""
        endpoint = self._settled(book, context, name)
        if endpoint.fleet is None:
            raise invalid(f'Cannot update endpoint "{endpoint.arn}": it is {endpoint.status}; delete and create it.')
        return endpoint, endpoint.fleet

    def _fleet(self, context: RequestContext, endpoint: str, plan: FleetPlan) -> Fleet:
        return Fleet(
            plan.config_name,
            plan.specs,
            endpoint=endpoint,
            capture=plan.capture,
            region=context.region,
            tools=self._tools,
        )

    def _run(self, name: str, action: Callable[[], None]) -> None:
        def work() -> None:
            try:
                action()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name=f"endpoint-{name}", daemon=True)
        with self._lock:
            thread.start()
            self._threads.add(thread)

    def _emit(self, endpoint: Endpoint, detail_type: str) -> None:
        if endpoint.abandoned.is_set():
            return
        self._events.emit(
            account=endpoint.account,
            region=endpoint.region,
            source=SOURCE,
            detail_type=detail_type,
            detail=event_detail(endpoint),
            resources=(endpoint.arn,),
        )
