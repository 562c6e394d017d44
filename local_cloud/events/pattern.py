"""Whether an event matches an event pattern, with every operator that EventBridge documents. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import functools
import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_cloud.errors import LocalCloudError

_MISSING = object()
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class PatternError(LocalCloudError):
    """A pattern that EventBridge would refuse (InvalidEventPatternException)."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether `event` has a value for every field of `pattern`; raises PatternError for a pattern that has no meaning.

    Fields of objects in one array have to match in the same object.
    """
    return _matches_object(pattern, event)


def check_pattern(pattern: Any) -> None:
    """Raise PatternError unless EventBridge would accept the pattern."""
    if not isinstance(pattern, Mapping) or not pattern:
        raise PatternError("an event pattern is a JSON object with at least one field")
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            for alternative in value:
                check_pattern(alternative)
        elif isinstance(value, Mapping):
            check_pattern(value)
        elif not isinstance(value, list) or not value:
            raise PatternError(
                f"the field {name!r} of an event pattern must be an object or an array that is not empty"
            )
        else:
            for alternative in value:
                _leaf_test(alternative)


def _matches_object(pattern: Mapping[str, Any], node: Any) -> bool:
    if isinstance(node, list):
        return any(_matches_object(pattern, item) for item in node) or (
            not any(isinstance(item, Mapping) for item in node) and _matches_object(pattern, _MISSING)
        )
    return all(_matches_field(name, wanted, node) for name, wanted in pattern.items())


def _matches_field(name: str, wanted: Any, node: Any) -> bool:
    if name == "$or" and isinstance(wanted, list):
        return any(_matches_object(alternative, node) for alternative in wanted)
    value = node.get(name, _MISSING) if isinstance(node, Mapping) else _MISSING
    if isinstance(wanted, Mapping):
        return _matches_object(wanted, value)
    if not isinstance(wanted, list):
        raise PatternError(f"the field {name!r} of an event pattern must be an object or an array")
    leaves = list(_leaves(value))
    return any(_matches_leaf(alternative, leaves) for alternative in wanted)


def _leaves(value: Any) -> Iterator[Any]:
    """The scalars of a field: an array gives each of its elements, an object none."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not _MISSING and not isinstance(value, Mapping):
        yield value


def _matches_leaf(wanted: Any, leaves: list[Any]) -> bool:
    if isinstance(wanted, Mapping) and set(wanted) == {"exists"}:
        return bool(leaves) == _boolean(wanted["exists"])
    test = _leaf_test(wanted)
    return any(test(leaf) for leaf in leaves)


def _leaf_test(wanted: Any) -> Callable[[Any], bool]:
    """The test that one alternative of a field means."""
    if not isinstance(wanted, Mapping):
        if isinstance(wanted, list):
            raise PatternError(f"an event pattern has the array {wanted!r} where a value or an operator belongs")
        return functools.partial(_same, wanted)
    if len(wanted) != 1:
        raise PatternError(f"an operator of an event pattern is an object with one field, not {dict(wanted)!r}")
    ((name, argument),) = wanted.items()
    make = _OPERATORS.get(name)
    if make is None:
        raise PatternError(f"event patterns have no operator {name!r}; there are {', '.join(sorted(_OPERATORS))}")
    return make(argument)


def _same(wanted: Any, value: Any) -> bool:
    """Equal as JSON text, as EventBridge compares: 1, 1.0 and true are three different values."""
    return type(wanted) is type(value) and bool(wanted == value)


def _boolean(argument: Any) -> bool:
    if not isinstance(argument, bool):
        raise PatternError(f"the operator 'exists' takes true or false, not {argument!r}")
    return argument


def _exists(argument: Any) -> Callable[[Any], bool]:
    wanted = _boolean(argument)
    return lambda _: wanted


def _text_test(name: str, test: Callable[[str, str], bool]) -> Callable[[Any], Callable[[Any], bool]]:
    """An operator on strings, which takes one string, or (in anything-but) several."""

    def make(argument: Any) -> Callable[[Any], bool]:
        if isinstance(argument, Mapping) and set(argument) == {"equals-ignore-case"}:
            return _ignoring_case(name, argument["equals-ignore-case"], test)
        texts = _strings(name, argument)
        return lambda value: isinstance(value, str) and any(test(value, text) for text in texts)

    return make


def _ignoring_case(name: str, argument: Any, test: Callable[[str, str], bool]) -> Callable[[Any], bool]:
    folded = [text.casefold() for text in _strings(name, argument)]
    return lambda value: isinstance(value, str) and any(test(value.casefold(), text) for text in folded)


def _strings(name: str, argument: Any) -> list[str]:
    texts = argument if isinstance(argument, list) else [argument]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise PatternError(f"the operator {name!r} takes a string or an array of strings, not {argument!r}")
    return texts


def _matches_wildcard(value: str, pattern: str) -> bool:
    return _wildcard(pattern).fullmatch(value) is not None


@functools.lru_cache(maxsize=256)
def _wildcard(pattern: str) -> re.Pattern[str]:
    """`*` is any text; `\\*` and `\\\\` are the characters themselves."""
    tokens = re.findall(r"\\[*\\]|\*+|[^*\\]+|\\", pattern)
    return re.compile(
        "".join(".*" if token[0] == "*" else re.escape(token[-1] if token[0] == "\\" else token) for token in tokens),
        re.DOTALL,
    )


def _numeric(argument: Any) -> Callable[[Any], bool]:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise PatternError(f"the operator 'numeric' takes one or two comparisons, not {argument!r}")
    comparisons = list(zip(argument[::2], argument[1::2], strict=True))
    for sign, limit in comparisons:
        if sign not in _COMPARISONS or not _is_number(limit):
            raise PatternError(f"the operator 'numeric' cannot compare with {sign!r} {limit!r}")
    return lambda value: _is_number(value) and all(_COMPARISONS[sign](value, limit) for sign, limit in comparisons)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cidr(argument: Any) -> Callable[[Any], bool]:
    try:
        network = ipaddress.ip_network(argument, strict=False)
    except ValueError as error:
        raise PatternError(f"the operator 'cidr' takes an address range, not {argument!r}: {error}") from error

    def test(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _anything_but(argument: Any) -> Callable[[Any], bool]:
    if isinstance(argument, Mapping):
        refused = [_leaf_test(argument)]
    else:
        values = argument if isinstance(argument, list) else [argument]
        if not values or not all(isinstance(value, str) or _is_number(value) for value in values):
            text = json.dumps(argument, default=str)
            raise PatternError(f"the operator 'anything-but' takes strings, numbers or an operator, not {text}")
        refused = [functools.partial(_same, value) for value in values]
    return lambda value: not any(test(value) for test in refused)


_OPERATORS: Mapping[str, Callable[[Any], Callable[[Any], bool]]] = {
    "exists": _exists,
    "prefix": _text_test("prefix", str.startswith),
    "suffix": _text_test("suffix", str.endswith),
    "equals-ignore-case": lambda argument: _ignoring_case("equals-ignore-case", argument, operator.eq),
    "wildcard": _text_test("wildcard", _matches_wildcard),
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
