"""Variable references `#{namespace.key}` in an action's configuration.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

import re
from collections.abc import Mapping

from local_cloud.codepipeline.actions.base import ActionFailure

PIPELINE_VARIABLES = "variables"
SERVICE_VARIABLES = "codepipeline"
_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")

Namespaces = Mapping[str, Mapping[str, str]]


def resolve(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """The configuration with every reference replaced; raises ActionFailure for one that has no value."""
    return {key: _resolved(key, text, namespaces) for key, text in configuration.items()}


def _resolved(key: str, text: str, namespaces: Namespaces) -> str:
    def value(match: re.Match[str]) -> str:
        namespace, name = match.groups()
        found = namespaces.get(namespace, {}).get(name)
        if found is None:
            known = sorted(f"{space}.{item}" for space, values in namespaces.items() for item in values)
            raise ActionFailure(
                f"The variable {match.group()} in the configuration field {key} cannot be resolved. "
                f"Known at this point: {', '.join(known)}",
                code="ConfigurationError",
            )
        return found

    return _REFERENCE.sub(value, text)
