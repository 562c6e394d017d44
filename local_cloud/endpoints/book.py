"""What one account has in one region: models, endpoint configurations, endpoints, each by lower-case name."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from local_cloud.sagemaker.resources import arn, name_key
from local_cloud.service import RequestContext, invalid

if TYPE_CHECKING:
    from local_cloud.endpoints.endpoint import Endpoint

T = TypeVar("T")


@dataclass(frozen=True)
class Container:
    """What runs: the image, the archive at `model_data_url` under /opt/ml/model, and additional variables."""

    image: str
    model_data_url: str | None
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """A model as it was created. `request` is the CreateModel request without its tags."""

    name: str
    arn: str
    created: datetime
    role_arn: str
    container: Container
    request: Mapping[str, Any]


@dataclass(frozen=True)
class EndpointConfig:
    """An endpoint configuration as it was created. `request` is the request without its tags."""

    name: str
    arn: str
    created: datetime
    request: Mapping[str, Any]


@dataclass
class HostingBook:
    """Mutable; hold `lock` to look and then change."""

    models: dict[str, Model] = field(default_factory=dict)
    configs: dict[str, EndpointConfig] = field(default_factory=dict)
    endpoints: "dict[str, Endpoint]" = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def model(self, context: RequestContext, name: str) -> Model:
        """The model of that name. Raises ValidationException."""
        return _find(self.models, context, ("model", "model"), name)

    def config(self, context: RequestContext, name: str) -> EndpointConfig:
        """The endpoint configuration of that name. Raises ValidationException."""
        return _find(self.configs, context, ("endpoint-config", "endpoint configuration"), name)

    def endpoint(self, context: RequestContext, name: str) -> "Endpoint":
        """The endpoint of that name. Raises ValidationException."""
        return _find(self.endpoints, context, ("endpoint", "endpoint"), name)

    def knows(self, context: RequestContext, resource_arn: str) -> bool:
        """Whether an ARN is that of something in here."""
        with self.lock:
            tables = (("model", self.models), ("endpoint-config", self.configs), ("endpoint", self.endpoints))
            return any(name_key(context, kind, resource_arn) in table for kind, table in tables)


def check_new(table: Mapping[str, object], context: RequestContext, kinds: tuple[str, str], name: str) -> str:
    """The ARN for a new resource. Raises ValidationException if the name is taken.

    `kinds` are the kind of resource as ARNs and as messages write it.
    """
    resource_arn = arn(context, kinds[0], name)
    if name.lower() in table:
        raise invalid(f'Cannot create already existing {kinds[1]} "{resource_arn}".')
    return resource_arn


def _find(table: Mapping[str, T], context: RequestContext, kinds: tuple[str, str], name: str) -> T:
    found = table.get(name.lower())
    if found is None:
        raise invalid(f'Could not find {kinds[1]} "{arn(context, kinds[0], name)}".')
    return found
