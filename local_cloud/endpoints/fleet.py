"""All variants of one endpoint configuration as running servers: what an update makes anew and then removes."""

import contextlib
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.endpoints.capture_events import CaptureSettings
from local_cloud.endpoints.capture_stream import CaptureStream
from local_cloud.endpoints.failures import unhealthy
from local_cloud.endpoints.launch import RoleClients, VariantSpec, prepare
from local_cloud.endpoints.sampling import Sampler
from local_cloud.endpoints.variant_server import ServerStartError, VariantServer
from local_cloud.images import ImageStore, LocalImage
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.jobs.logs import LogStream

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FleetTools:
    """What fleets take from the rest of the local cloud. `directory` holds one folder for each fleet."""

    clients: Clients
    clock: Clock
    processes: ProcessTable
    images: ImageStore
    directory: Path


class Variant:
    """One variant: its server, what it captures, and how many requests are on their way in it. Mutable."""

    def __init__(self, spec: VariantSpec, *, server: VariantServer, image: LocalImage, resolved: datetime) -> None:
        self.spec = spec
        self.server = server
        self.image = image
        self.resolved = resolved
        self.capture: CaptureStream | None = None
        self.log: LogStream | None = None
        self._in_flight = 0
        self._changed = threading.Condition()

    def enter(self) -> None:
        """A request was routed here."""
        with self._changed:
            self._in_flight += 1

    def leave(self) -> None:
        """That request has its answer."""
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether no request is on its way any more, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_flight, timeout)


class Fleet:
    """The variants of one deployment. Started once, stopped once; weights and counts may change in between."""

    def __init__(
        self,
        config_name: str,
        specs: Sequence[VariantSpec],
        *,
        endpoint: str,
        capture: CaptureSettings | None,
        region: str,
        tools: FleetTools,
    ) -> None:
        self.config_name = config_name
        self.specs = tuple(specs)
        self.capture = capture
        self.variants: dict[str, Variant] = {}
        self.log_group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self._endpoint = endpoint
        self._region = region
        self._tools = tools
        self._folder = tools.directory / f"{endpoint}-{uuid.uuid4().hex[:12]}"
        self._shadow_sampler = Sampler(self._shadow_share())

    @property
    def production(self) -> list[Variant]:
        """The variants that answer requests."""
        return [variant for variant in self.variants.values() if not variant.spec.shadow]

    @property
    def shadow(self) -> Variant | None:
        """The variant that gets copies of requests, if there is one."""
        return next((variant for variant in self.variants.values() if variant.spec.shadow), None)

    def start(self) -> None:
        """Start every variant, at the same time. Raises the LaunchFailure of the first that does not come up."""
        with ThreadPoolExecutor(len(self.specs), thread_name_prefix=f"start-{self._endpoint}") as pool:
            for future in [pool.submit(self._start, spec) for spec in self.specs]:
                future.result()

    def wants_shadow(self) -> bool:
        """Whether the next request is one of those that are copied; to be asked once for each request."""
        return self._shadow_sampler.choose()

    def resize(self, changed: Sequence[VariantSpec]) -> None:
        """Take over weights and instance counts of variants that stay as they are otherwise."""
        by_name = {spec.name: spec for spec in changed}
        self.specs = tuple(by_name.get(spec.name, spec) for spec in self.specs)
        for name, spec in by_name.items():
            self.variants[name].spec = spec

    def flush_captures(self, timeout: float) -> bool:
        """Write what was captured so far; whether all of it is in S3 within about `timeout` seconds."""
        streams = [variant.capture for variant in list(self.variants.values()) if variant.capture is not None]
        return all(stream.flush(timeout) for stream in streams)

    def drain(self, timeout: float) -> None:
        """Wait for the answers to the requests that are on their way."""
        for variant in self.variants.values():
            variant.wait_until_idle(timeout)

    def stop(self) -> None:
        """End the servers, write what was captured and logged, remove the files. Nothing may be routed here then."""
        variants = list(self.variants.values())
        _together(variants, lambda variant: variant.server.stop())
        for variant in variants:
            if variant.capture is not None:
                variant.capture.close()
            if variant.log is not None:
                variant.log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def abandon(self) -> None:
        """End the servers and forget the rest: nothing is written any more."""
        variants = list(self.variants.values())
        for variant in variants:
            if variant.capture is not None:
                variant.capture.abandon()
        _together(variants, lambda variant: variant.server.stop())
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, spec: VariantSpec) -> None:
        role = RoleClients(self._tools.clients, role_arn=spec.model.role_arn, region=self._region)
        launch, image = prepare(spec, role=role, images=self._tools.images, folder=self._folder / spec.name)
        log = self._log_stream(spec, role)
        server = VariantServer(launch, processes=self._tools.processes, log=_guarded(log))
        variant = Variant(spec, server=server, image=image, resolved=self._tools.clock.now())
        variant.log = log
        if self.capture is not None:
            variant.capture = CaptureStream(
                self.capture, endpoint=self._endpoint, variant=spec.name, client=lambda: role.of("s3")
            )
        self.variants[spec.name] = variant
        try:
            server.start()
        except ServerStartError as error:
            raise unhealthy(spec.name, group=self.log_group, reason=str(error)) from error

    def _log_stream(self, spec: VariantSpec, role: RoleClients) -> LogStream | None:
        """The container's log; without the permission to write it there is none, as on AWS."""
        with contextlib.suppress(ClientError):
            return LogStream(
                role.of("logs"),
                group=self.log_group,
                stream=f"{spec.name}/i-{uuid.uuid4().hex[:17]}",
                clock=self._tools.clock,
            )
        return None

    def _shadow_share(self) -> float:
        """The shadow's weight in relation to the production variant's is the part of the requests that it gets."""
        production = sum(spec.weight for spec in self.specs if not spec.shadow)
        shadow = sum(spec.weight for spec in self.specs if spec.shadow)
        return min(shadow / production, 1.0) if production else 0.0


def reweighted(spec: VariantSpec, *, weight: float | None, instance_count: int | None) -> VariantSpec:
    """The variant with another weight or number of instances; None leaves what it has."""
    return replace(
        spec,
        weight=spec.weight if weight is None else weight,
        instance_count=spec.instance_count if instance_count is None else instance_count,
    )


def _together(variants: Sequence[Variant], action: Callable[[Variant], None]) -> None:
    if variants:
        with ThreadPoolExecutor(len(variants), thread_name_prefix="stop-variants") as pool:
            list(pool.map(action, variants))


def _guarded(log: LogStream | None) -> Callable[[str], None]:
    """Lines for the log, as long as it takes them: one that was refused would only keep them in memory."""

    def write(line: str) -> None:
        if log is not None and log.error is None:
            log.write(line)

    return write
