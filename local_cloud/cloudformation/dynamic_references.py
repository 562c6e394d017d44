"""`{{resolve:ssm:name:version}}` in resolved properties. Secrets are refused by name: nothing here holds them."""

import re
from collections.abc import Callable
from typing import Any

from local_cloud.cloudformation.errors import TemplateError

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^}]+)\}\}")


def resolve_dynamic_references(value: Any, fetch: Callable[[str], str]) -> Any:
    """The value with every `{{resolve:ssm:...}}` replaced; `fetch` takes `name` or `name:version`.

    Raises TemplateError for any other service (`ssm-secure`, `secretsmanager`).
    """
    if isinstance(value, dict):
        return {key: resolve_dynamic_references(item, fetch) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_dynamic_references(item, fetch) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value

    def fill(match: re.Match[str]) -> str:
        service, name = match.groups()
        if service != "ssm":
            raise TemplateError(f"Dynamic references to {service} are not emulated by the local cloud")
        return fetch(name)

    return _REFERENCE.sub(fill, value)
