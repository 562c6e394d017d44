"""What a resource type is here: a provider that makes its effect through the service's own API.

A provider knows one type. It resolves nothing and keeps no state; the engine decides what is called and when.
"""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.clients import Clients
from local_cloud.cloudformation.errors import HandlerFailure, ReplacementNeeded
from local_cloud.service import Fidelity

Properties = Mapping[str, Any]
_ALPHABET = string.ascii_uppercase + string.digits
_SUFFIX_LENGTH = 12


@dataclass(frozen=True)
class Physical:
    """A resource as the service knows it: what `Ref` gives, and what `Fn::GetAtt` gives by name."""

    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ResourceContext:
    """Where a resource lives and which stack it belongs to."""

    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    type: str
    clients: Clients
    report: Callable[[Physical], None]
    """Call it as soon as the physical id is known: if a later call fails, the engine deletes what was begun."""

    def client(self, service: str) -> Any:
        """A client that acts as CloudFormation itself."""
        return self.clients.system(service, account=self.account, region=self.region)

    def arn(self, service: str, resource: str) -> str:
        """An ARN in the stack's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def generated_name(self, limit: int, *, lower: bool = False) -> str:
        """A new name of at most `limit` characters: stack, logical id, and something random."""
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX_LENGTH))
        room = limit - _SUFFIX_LENGTH - 1
        stem = f"{self.stack_name}-{self.logical_id}"
        if len(stem) > room:
            half = (room - 1) // 2
            stem = f"{self.stack_name[:half]}-{self.logical_id[: room - 1 - len(self.stack_name[:half])]}"
        name = f"{stem}-{suffix}"
        return name.lower() if lower else name


class Provider:
    """One resource type. Subclasses override what the type can do."""

    fidelity = Fidelity.EMULATED
    note = ""
    name_property: str | None = None
    """The property that fixes the physical name: a replacement cannot keep it."""
    properties: frozenset[str] | None = None
    """The properties that have an effect; None if all are handed to the service, which refuses unknown ones."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Make the resource; raises HandlerFailure, or botocore's ClientError as the service gave it."""
        raise NotImplementedError

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Change the resource in place; raises ReplacementNeeded if the type cannot."""
        raise ReplacementNeeded

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Remove the resource; the engine takes "not found" for done."""

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """The resource that exists already under the fixed name in the properties, if the type can be imported."""
        return None

    def is_stable(self, context: ResourceContext, physical: Physical) -> bool:
        """Whether the service has finished; raises HandlerFailure if it gave up."""
        return True


def already_exists(what: str) -> HandlerFailure:
    """The refusal to take over something that exists outside the stack, with the ways out."""
    return HandlerFailure(
        f"{what} already exists. If an earlier stack retained it, take it over with "
        "`cdk deploy --import-existing-resources`, delete it, or choose another name.",
        code="AlreadyExists",
    )


def tag_map(properties: Properties, key: str = "Tags") -> dict[str, str]:
    """Tags as a map, from either of CloudFormation's two forms."""
    tags = properties.get(key) or {}
    if isinstance(tags, Mapping):
        return {name: str(value) for name, value in tags.items()}
    return {tag["Key"]: tag["Value"] for tag in tags}


def tag_list(properties: Properties, *, lower: bool = False) -> list[dict[str, str]]:
    """Tags as a list of Key and Value (or key and value)."""
    names = ("key", "value") if lower else ("Key", "Value")
    return [dict(zip(names, pair, strict=True)) for pair in tag_map(properties).items()]


@dataclass(frozen=True)
class TagChange:
    """What an update does to tags."""

    added: Mapping[str, str]
    removed: list[str]


def tag_change(old: Properties, new: Properties) -> TagChange:
    """Tags to set and tag keys to take away."""
    before, after = tag_map(old), tag_map(new)
    added = {key: value for key, value in after.items() if before.get(key) != value}
    return TagChange(added, sorted(before.keys() - after.keys()))


def picked(properties: Properties, *names: str) -> dict[str, Any]:
    """The named properties that are present."""
    return {name: properties[name] for name in names if name in properties}


def lower_first(value: Any) -> Any:
    """Keys in camelCase, all the way down, for the services whose API spells them so."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: lower_first(item) for key, item in value.items()}
    return [lower_first(item) for item in value] if isinstance(value, list) else value
