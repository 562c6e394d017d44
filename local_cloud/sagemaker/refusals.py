"""Members of a request that AWS knows and the local cloud does not act on: refused by name, never ignored."""

from collections.abc import Iterable, Mapping
from typing import Any

from local_cloud.service import invalid


def refuse(request: Mapping[str, Any], members: Iterable[str]) -> None:
    """Raise ValidationException for the first of `members` (dotted paths; lists are searched) that has a value."""
    for path in members:
        if any(value not in (None, False, {}, []) for value in _values(request, path.split("."))):
            raise invalid(f"{path} is not emulated by the local cloud; leave it out.")


def refuse_value(request: Mapping[str, Any], path: str, *values: Any, instead: str) -> None:
    """Raise ValidationException if the member at `path` has one of `values`."""
    found = [value for value in _values(request, path.split(".")) if value in values]
    if found:
        raise invalid(f"{path} = {found[0]} is not emulated by the local cloud; use {instead}.")


def single_instance(count: int | None) -> None:
    """Raise ValidationException for a cluster: jobs run on this one machine."""
    if count is not None and count != 1:
        raise invalid(f"InstanceCount = {count} is not emulated by the local cloud; use 1.")


def _values(value: Any, names: list[str]) -> list[Any]:
    if isinstance(value, list):
        return [found for item in value for found in _values(item, names)]
    if not names:
        return [value]
    return _values(value[names[0]], names[1:]) if isinstance(value, Mapping) and names[0] in value else []
