"""The rules of composite alarms: ALARM("a") AND (OK(b) OR NOT INSUFFICIENT_DATA(c)). Parsing and truth, nothing else.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_cloud.cloudwatch.evaluation import State
from local_cloud.errors import LocalCloudError

MOST_NESTING = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)
_WORD = re.compile(r"\s*(\w+)")


class RuleError(LocalCloudError):
    """A text that is no rule of a composite alarm."""


@dataclass(frozen=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class InState:
    """Whether an alarm, given by name or ARN, is in a state."""

    alarm: str
    state: State


@dataclass(frozen=True)
class Not:
    """The contrary."""

    rule: "Rule"


@dataclass(frozen=True)
class Both:
    """AND, or OR if `either`."""

    left: "Rule"
    right: "Rule"
    either: bool = False


Rule = Constant | InState | Not | Both


def parse(text: str) -> Rule:
    """The tree of a rule; raises RuleError."""
    parser = _Parser(list(_tokens(text)))
    rule = parser.either()
    parser.end()
    return rule


def alarms(rule: Rule) -> tuple[str, ...]:
    """The names or ARNs in a rule, each once, in their order."""
    return tuple(dict.fromkeys(_alarms(rule)))


def holds(rule: Rule, state_of: Callable[[str], State]) -> bool:
    """Whether a rule is true while alarms are in the states that `state_of` gives."""
    match rule:
        case Constant(value):
            return value
        case InState(alarm, state):
            return state_of(alarm) is state
        case Not(inner):
            return not holds(inner, state_of)
        case Both(left, right, either):
            if either:
                return holds(left, state_of) or holds(right, state_of)
            return holds(left, state_of) and holds(right, state_of)
    raise AssertionError(rule)


def _alarms(rule: Rule) -> Iterator[str]:
    match rule:
        case InState(alarm, _):
            yield alarm
        case Not(inner):
            yield from _alarms(inner)
        case Both(left, right, _):
            yield from _alarms(left)
            yield from _alarms(right)


Token = str | InState


def _tokens(text: str) -> Iterator[Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found:
            raise RuleError(_complaint(text, position))
        position = found.end()
        if found["state"]:
            yield InState(found["quoted"] or found["plain"], State(found["state"]))
        else:
            yield found["word"] or found["bracket"]


def _complaint(text: str, position: int) -> str:
    word = _WORD.match(text, position)
    if word and word[1] == "AT_LEAST":
        return "AT_LEAST is not emulated by the local cloud; write it with AND and OR"
    return f"unexpected {text[position:].strip()[:20]!r} at position {position}"


class _Parser:
    """OR binds weakest, then AND, then NOT. Long chains need no depth, brackets and NOT do."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def either(self) -> Rule:
        """a OR b OR ..."""
        rules = [self._all()]
        while self._peek() == "OR":
            self._position += 1
            rules.append(self._all())
        return _balanced(rules, either=True)

    def end(self) -> None:
        """Raise RuleError if anything is left."""
        if self._peek() is not None:
            raise RuleError(f"unexpected {self._peek()}")

    def _all(self) -> Rule:
        rules = [self._one()]
        while self._peek() == "AND":
            self._position += 1
            rules.append(self._one())
        return _balanced(rules, either=False)

    def _one(self) -> Rule:
        word = self._peek()
        self._position += 1
        if isinstance(word, InState):
            return word
        if word in ("TRUE", "FALSE"):
            return Constant(word == "TRUE")
        if word in ("NOT", "("):
            return self._nested(word)
        raise RuleError("unexpected end" if word is None else f"unexpected {word}")

    def _nested(self, word: str) -> Rule:
        self._depth += 1
        if self._depth > MOST_NESTING:
            raise RuleError(f"nested more than {MOST_NESTING} deep")
        if word == "NOT":
            rule: Rule = Not(self._one())
        else:
            rule = self.either()
            if self._peek() != ")":
                raise RuleError("a bracket is not closed")
            self._position += 1
        self._depth -= 1
        return rule

    def _peek(self) -> Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None


def _balanced(rules: list[Rule], *, either: bool) -> Rule:
    """A tree as flat as possible: a rule of 10,240 characters has chains deeper than Python's stack."""
    if len(rules) == 1:
        return rules[0]
    middle = len(rules) // 2
    return Both(_balanced(rules[:middle], either=either), _balanced(rules[middle:], either=either), either)
