"""The stand-in for a value that only exists once resources were created, as change sets show it."""

from typing import Any

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"


def has_unknown(value: Any) -> bool:
    """Whether a resolved value holds, anywhere, something that is known only after it was applied."""
    if isinstance(value, str):
        return UNKNOWN in value
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)
