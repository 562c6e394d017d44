"""How a bad pipeline definition is reported."""

from collections.abc import Mapping
from typing import Any

from local_cloud.service import ServiceError, invalid

_WORDS: Mapping[type, str] = {str: "a string", list: "a list", dict: "an object"}


def bad_definition(problem: str) -> ServiceError:
    """The ValidationException of CreatePipeline and UpdatePipeline."""
    return invalid(f"Unable to parse pipeline definition. {problem[0].upper()}{problem[1:]}")


def member(container: Any, name: str, kind: type, where: str) -> Any:
    """A required member of a certain type. Raises ValidationException naming the place."""
    if not isinstance(container, Mapping):
        raise bad_definition(f"{where} must be an object, not {container!r}.")
    value = container.get(name)
    if not isinstance(value, kind):
        found = "it is missing" if value is None else f"not {value!r}"
        raise bad_definition(f"{where}: {name} must be {_WORDS[kind]}, {found}.")
    return value
