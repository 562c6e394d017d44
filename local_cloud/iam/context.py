"""The request context: the condition keys and values against which a policy is evaluated.

Keys are case-insensitive, as in IAM. Every value is a tuple: single-valued keys have one member, and an empty
tuple is the null data set, which IAM treats as a missing key. The module only holds values; which request
has which keys is decided in `request_keys`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ContextValue = str | bool | int | Iterable[str]


@dataclass(frozen=True)
class RequestContext:
    """Condition keys of one request. Build it with `RequestContext.of`."""

    _values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @classmethod
    def of(cls, values: Mapping[str, ContextValue | None]) -> "RequestContext":
        """Context from plain values; keys whose value is None are left out."""
        members = {key.lower(): _as_tuple(value) for key, value in values.items() if value is not None}
        return cls(MappingProxyType(members))

    def merged(self, other: "RequestContext") -> "RequestContext":
        """Both contexts together; the other's values win."""
        return RequestContext(MappingProxyType({**self._values, **other._values}))

    def values_of(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, or None when the key is missing or resolves to a null data set."""
        return self._values.get(key.lower()) or None

    def single_value_of(self, key: str) -> str | None:
        """The value of a single-valued key; multivalued keys cannot be policy variables, so they give None."""
        values = self.values_of(key)
        return values[0] if values is not None and len(values) == 1 else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


EMPTY_CONTEXT = RequestContext()


def _as_tuple(value: ContextValue) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, int):
        return (str(value),)
    return tuple(value)
