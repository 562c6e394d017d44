"""Metric math as text: tokens and the tree of an expression. Nothing is computed here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local_cloud.errors import LocalCloudError

MOST_NESTING = 50
MOST_OPERATORS = 200
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))",
    re.ASCII,
)
_SPELLINGS = {"AND": "&&", "OR": "||"}
_PRECEDENCE = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4}
_PRECEDENCE |= {"+": 5, "-": 5, "*": 6, "/": 6, "^": 8}
_UNARY_PRECEDENCE = 7


class ExpressionError(LocalCloudError):
    """An expression that is not metric math, or uses a part of it that is not emulated."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """The id of another query, or a keyword of a function."""

    id: str


@dataclass(frozen=True)
class Binary:
    """Two operands, joined by the timestamps that both have."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Call:
    """A function."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Array:
    """`[m1, m2]`."""

    items: tuple["Node", ...]


Node = Number | Name | Binary | Call | Array


def parse(text: str) -> Node:
    """The tree of an expression; raises ExpressionError."""
    parser = _Parser(list(_tokens(text)))
    node = parser.expression(0)
    parser.end()
    return node


def names(node: Node) -> frozenset[str]:
    """Every name in a tree."""
    match node:
        case Name(id):
            return frozenset({id})
        case Binary(_, left, right):
            return names(left) | names(right)
        case Call(_, parts) | Array(parts):
            return frozenset().union(*(names(part) for part in parts))
    return frozenset()


def calls(node: Node) -> Iterator[Call]:
    """Every function call in a tree."""
    match node:
        case Binary(_, left, right):
            yield from calls(left)
            yield from calls(right)
        case Call(_, parts):
            yield node
            for part in parts:
                yield from calls(part)
        case Array(parts):
            for part in parts:
                yield from calls(part)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found:
            raise ExpressionError(f"unexpected {text[position:].strip()[:10]!r}")
        position = found.end()
        kind = str(found.lastgroup)
        value = found[kind]
        yield ("operator", _SPELLINGS[value]) if value in _SPELLINGS else (kind, value)


class _Parser:
    """Precedence climbing over a list of tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self._operators = 0

    def expression(self, minimum: int) -> Node:
        """Operators of at least precedence `minimum`."""
        self._depth += 1
        if self._depth > MOST_NESTING:
            raise ExpressionError(f"nested more than {MOST_NESTING} deep")
        left = self._operand()
        while (level := _PRECEDENCE.get(self._peek()[1], -1)) >= max(minimum, 1) and self._peek()[0] == "operator":
            operator = self._next()[1]
            self._operators += 1
            if self._operators > MOST_OPERATORS:
                raise ExpressionError(f"more than {MOST_OPERATORS} operators")
            left = Binary(operator, left, self.expression(level + 1))
        self._depth -= 1
        return left

    def end(self) -> None:
        """Raise ExpressionError if anything is left."""
        if self._position < len(self._tokens):
            raise ExpressionError(f"unexpected {self._peek()[1]!r}")

    def _operand(self) -> Node:
        kind, value = self._next()
        if kind == "number":
            return Number(float(value))
        if kind == "name":
            if self._peek() == ("operator", "("):
                self._next()
                return Call(value, self._list(")"))
            return Name(value)
        if value == "-":
            return Binary("-", Number(0.0), self.expression(_UNARY_PRECEDENCE))
        if value == "(":
            inner = self.expression(0)
            self._expect(")")
            return inner
        if value == "[":
            return Array(self._list("]"))
        raise ExpressionError(f"unexpected {value!r}" if value else "unexpected end")

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._peek() != ("operator", closing):
            if items:
                self._expect(",")
            items.append(self.expression(0))
        self._next()
        return tuple(items)

    def _expect(self, value: str) -> None:
        if self._next() != ("operator", value):
            raise ExpressionError(f"expected {value!r}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._position += 1
        return token
