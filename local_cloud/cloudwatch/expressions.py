"""Metric math computed: arithmetic, comparisons, AND, OR and a few functions over time series.

Functions of CloudWatch that are not here are refused by name when a query or an alarm is checked.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_cloud.cloudwatch.expression_syntax import Array, Binary, Call, ExpressionError, Name, Node, Number, calls

Series = Mapping[float, float]
"""Values by timestamp (any number that tells periods apart)."""
Value = float | Series | tuple["float | Series", ...]

_ELEMENTWISE: Mapping[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_REDUCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "MAX": max,
    "MIN": min,
    "SUM": sum,
}
_ARITIES = {"FILL": (2, 2), "IF": (2, 3), "METRICS": (0, 0)} | dict.fromkeys((*_ELEMENTWISE, *_REDUCTIONS), (1, 1))
_KEYWORDS = frozenset({"REPEAT", "LINEAR"})
FUNCTIONS = tuple(sorted(_ARITIES))


@dataclass(frozen=True)
class Environment:
    """What names stand for. `timeline` are the timestamps of all periods, oldest first; `metrics` are the ids of
    queries that are metrics, not expressions."""

    values: Mapping[str, Value]
    timeline: Sequence[float]
    metrics: Sequence[str] = ()


def check(node: Node, *, known: frozenset[str]) -> None:
    """Raise ExpressionError for a function that is not emulated, a wrong number of arguments or an unknown name."""
    for call in calls(node):
        if call.function not in _ARITIES:
            raise ExpressionError(
                f"the function {call.function} is not emulated by the local cloud; it knows {', '.join(FUNCTIONS)}"
            )
        least, most = _ARITIES[call.function]
        if not least <= len(call.arguments) <= most:
            raise ExpressionError(f"{call.function} has a wrong number of arguments")
    for name in sorted(_free_names(node) - known):
        raise ExpressionError(f"{name} is not the Id of another query")


def evaluate(node: Node, environment: Environment) -> Value:
    """The value of a tree that `check` accepted; a timestamp at which it has no value is left out."""
    match node:
        case Number(value):
            return value
        case Name(id):
            return environment.values[id]
        case Array(items):
            return tuple(part for item in items for part in _parts(evaluate(item, environment)))
        case Binary(operator, left, right):
            return _binary(operator, evaluate(left, environment), evaluate(right, environment))
        case Call(function, arguments):
            return _call(function, arguments, environment)
    raise AssertionError(node)


def as_series(value: Value, timeline: Sequence[float]) -> Series:
    """A time series; a constant has its value at every timestamp. Raises ExpressionError for several series."""
    if isinstance(value, tuple):
        raise ExpressionError("the expression gives several time series where one is needed")
    return dict.fromkeys(timeline, value) if isinstance(value, float | int) else value


def _free_names(node: Node) -> frozenset[str]:
    match node:
        case Name(id):
            return frozenset({id})
        case Binary(_, left, right):
            return _free_names(left) | _free_names(right)
        case Call("FILL", (filled, Name(id))) if id in _KEYWORDS:
            return _free_names(filled)
        case Call(_, parts) | Array(parts):
            return frozenset().union(*(_free_names(part) for part in parts))
    return frozenset()


def _call(function: str, arguments: tuple[Node, ...], environment: Environment) -> Value:
    if function == "METRICS":
        return tuple(part for id in environment.metrics for part in _parts(environment.values[id]))
    first = evaluate(arguments[0], environment)
    if function in _ELEMENTWISE:
        return _mapped(lambda value: float(_ELEMENTWISE[function](value)), first)
    if function in _REDUCTIONS:
        return _reduced(_REDUCTIONS[function], first)
    if function == "FILL":
        filler = arguments[1]
        keyword = filler.id if isinstance(filler, Name) and filler.id in _KEYWORDS else None
        return _filled(first, keyword or evaluate(filler, environment), environment.timeline)
    return _chosen(first, *(evaluate(argument, environment) for argument in arguments[1:]))


def _parts(value: Value) -> Iterable[float | Series]:
    return value if isinstance(value, tuple) else (value,)


def _mapped(function: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_single(_mapped(function, part)) for part in value)
    if isinstance(value, Mapping):
        return {moment: function(number) for moment, number in value.items()}
    return function(value)


def _single(value: Value) -> float | Series:
    if isinstance(value, tuple):
        raise ExpressionError("an array cannot be an item of an array")
    return value


def _binary(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, tuple) or isinstance(right, tuple):
        pairs = _paired(left, right)
        return tuple(_single(_binary(operator, one, other)) for one, other in pairs)
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        moments = _moments(left, right)
        computed = {moment: _operate(operator, _at(left, moment), _at(right, moment)) for moment in moments}
        return {moment: value for moment, value in computed.items() if value is not None}
    result = _operate(operator, left, right)
    return {} if result is None else result


def _paired(left: Value, right: Value) -> list[tuple[float | Series, float | Series]]:
    if isinstance(left, tuple) and isinstance(right, tuple):
        raise ExpressionError("two arrays cannot be combined")
    if isinstance(left, tuple):
        return [(part, _single(right)) for part in left]
    return [(_single(left), part) for part in _parts(right)]


def _moments(*values: float | Series) -> list[float]:
    """The timestamps that all the series have."""
    series = [set(value) for value in values if isinstance(value, Mapping)]
    return sorted(set.intersection(*series))


def _at(value: float | Series, moment: float) -> float:
    return value[moment] if isinstance(value, Mapping) else value


def _operate(operator: str, left: float, right: float) -> float | None:
    """None where there is no result: a division by zero, or a number too large."""
    comparisons = {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "&&": bool(left) and bool(right),
        "||": bool(left) or bool(right),
    }
    if operator in comparisons:
        return float(comparisons[operator])
    try:
        result = _arithmetic(operator, left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if isinstance(result, float) and math.isfinite(result) else None


def _arithmetic(operator: str, left: float, right: float) -> float | complex:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        return left / right
    power: float | complex = left**right
    return power


def _reduced(function: Callable[[Sequence[float]], float], value: Value) -> Value:
    """A single time series gives a number, an array gives a time series."""
    if not isinstance(value, tuple):
        numbers = list(value.values()) if isinstance(value, Mapping) else [value]
        return _finite(function(numbers)) if numbers else {}
    moments = sorted({moment for part in value if isinstance(part, Mapping) for moment in part})
    if not moments:
        constants = [part for part in value if not isinstance(part, Mapping)]
        return _finite(function(constants)) if constants else {}
    reduced: dict[float, float] = {}
    for moment in moments:
        number = function([_at(part, moment) for part in value if not isinstance(part, Mapping) or moment in part])
        if math.isfinite(number):
            reduced[moment] = float(number)
    return reduced


def _finite(number: float) -> Value:
    """A number, or nothing if it is too large for one."""
    return float(number) if math.isfinite(number) else {}


def _filled(value: Value, filler: Value | str, timeline: Sequence[float]) -> Value:
    if isinstance(value, tuple):
        return tuple(_single(_filled(part, filler, timeline)) for part in value)
    if not isinstance(value, Mapping):
        return value
    if filler == "REPEAT":
        return _repeated(value, timeline)
    if filler == "LINEAR":
        return _interpolated(value, timeline)
    if isinstance(filler, tuple | str):
        raise ExpressionError("FILL needs a number, a time series, REPEAT or LINEAR")
    given = {moment: filler if not isinstance(filler, Mapping) else filler.get(moment) for moment in timeline}
    constant = {moment: number for moment, number in given.items() if number is not None}
    return constant | dict(value)


def _repeated(series: Series, timeline: Sequence[float]) -> Series:
    filled: dict[float, float] = {}
    last: float | None = None
    for moment in sorted({*timeline, *series}):
        last = series.get(moment, last)
        if last is not None:
            filled[moment] = last
    return filled


def _interpolated(series: Series, timeline: Sequence[float]) -> Series:
    known = sorted(series)
    filled = dict(series)
    for before, after in itertools.pairwise(known):
        slope = (series[after] - series[before]) / (after - before)
        filled |= {moment: series[before] + slope * (moment - before) for moment in timeline if before < moment < after}
    return dict(sorted(filled.items()))


def _chosen(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    """IF: where the condition is not zero, `then`; elsewhere `otherwise`, or nothing."""
    if isinstance(condition, tuple) or isinstance(then, tuple) or isinstance(otherwise, tuple):
        raise ExpressionError("IF takes single time series and numbers")
    if not isinstance(condition, Mapping):
        chosen = then if condition else otherwise
        return {} if chosen is None else chosen
    picked = {moment: then if flag else otherwise for moment, flag in condition.items()}
    return {
        moment: _at(value, moment)
        for moment, value in picked.items()
        if value is not None and (not isinstance(value, Mapping) or moment in value)
    }
