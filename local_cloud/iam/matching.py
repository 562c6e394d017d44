"""Wildcards and policy variables: how a pattern of a policy is compared with a value of a request.

Two grammars exist. Strings and actions are matched as a whole; ARNs are matched component by component, so a
wildcard never crosses a colon, except in the last component. The module knows nothing of statements.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from functools import lru_cache
from typing import NamedTuple

from local_cloud.iam.context import RequestContext

_ARN_COMPONENTS = 6
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_ESCAPES = frozenset("*?$")


class Token(NamedTuple):
    """A piece of a pattern: literal text, or a wildcard ("*" or "?")."""

    text: str
    wildcard: bool


_ANY_COMPONENT = (Token(":", wildcard=False), Token("*", wildcard=True))


def expand(pattern: str, *, context: RequestContext, variables: bool) -> tuple[Token, ...] | None:
    """Tokens of a pattern with its policy variables replaced, or None when a variable has no value.

    A replaced value is literal text: a `*` in a session name or a tag is no wildcard. `variables` is false for
    policies of version 2008-10-17, in which `${...}` is ordinary text.
    """
    if not variables or "${" not in pattern:
        return _tokens(pattern)
    tokens: list[Token] = []
    position = 0
    for match in _VARIABLE.finditer(pattern):
        value = _variable_value(match.group(1), context)
        if value is None:
            return None
        tokens.extend((*_tokens(pattern[position : match.start()]), Token(value, wildcard=False)))
        position = match.end()
    return (*tokens, *_tokens(pattern[position:]))


def literal_text(tokens: tuple[Token, ...]) -> str:
    """The text of a pattern for operators that know no wildcards."""
    return "".join(token.text for token in tokens)


def matches(tokens: tuple[Token, ...], value: str) -> bool:
    """Whether the whole value matches; case-sensitive."""
    return _compiled(tokens).fullmatch(value) is not None


def matches_arn(tokens: tuple[Token, ...], arn: str) -> bool:
    """Whether an ARN matches a pattern, component by component, as ArnLike and ArnEquals compare.

    A pattern or a value that has not the six components of an ARN matches nothing.
    """
    compiled = _compiled_arn(tokens)
    return compiled is not None and compiled.fullmatch(arn) is not None


def matches_resource(tokens: tuple[Token, ...], resource: str) -> bool:
    """Whether a Resource pattern covers a resource.

    `*` covers everything. An incomplete ARN is completed with wildcards, as AWS does. A request that names no
    resource has the resource "*", which only the pattern "*" covers.
    """
    if not tokens[0].text.startswith("arn:"):
        return matches(tokens, resource)
    missing = _ARN_COMPONENTS - len(_split_arn(tokens))
    return matches_arn((*tokens, *_ANY_COMPONENT * missing), resource)


def matches_action(pattern: str, action: str) -> bool:
    """Whether an Action pattern covers an action; case-insensitive, `*` and `?` anywhere."""
    return matches(_tokens(pattern.lower()), action.lower())


@lru_cache(maxsize=8192)
def _tokens(text: str) -> tuple[Token, ...]:
    pieces = re.split(r"([*?])", text)
    return tuple(Token(piece, wildcard=piece in ("*", "?")) for piece in pieces if piece)


@lru_cache(maxsize=8192)
def _compiled(tokens: tuple[Token, ...]) -> re.Pattern[str]:
    return re.compile(_expression(tokens, any_character="."), re.DOTALL)


@lru_cache(maxsize=8192)
def _compiled_arn(tokens: tuple[Token, ...]) -> re.Pattern[str] | None:
    """The pattern of an ARN, or None when it has not six components; only the last one may match colons."""
    *leading, last = _split_arn(tokens)
    if len(leading) != _ARN_COMPONENTS - 1:
        return None
    expressions = [*(_expression(part, any_character="[^:]") for part in leading), _expression(last, any_character=".")]
    return re.compile(":".join(expressions), re.DOTALL)


def _expression(tokens: tuple[Token, ...], *, any_character: str) -> str:
    wildcards = {"*": f"{any_character}*", "?": any_character}
    return "".join(wildcards[token.text] if token.wildcard else re.escape(token.text) for token in tokens)


@lru_cache(maxsize=8192)
def _split_arn(tokens: tuple[Token, ...]) -> tuple[tuple[Token, ...], ...]:
    """The components of an ARN pattern: at most six, the last one keeps its colons."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.wildcard:
            parts[-1].append(token)
            continue
        first, *others = token.text.split(":", _ARN_COMPONENTS - len(parts))
        parts[-1].append(Token(first, wildcard=False))
        parts.extend([Token(text, wildcard=False)] for text in others)
    return tuple(tuple(token for token in part if token.text) for part in parts)


def _variable_value(name: str, context: RequestContext) -> str | None:
    """Value of `${name}` or `${name, 'default'}`; `${*}`, `${?}` and `${$}` are the characters themselves."""
    if name in _ESCAPES:
        return name
    key, separator, default = name.partition(",")
    value = context.single_value_of(key.strip())
    if value is None and separator:
        return default.strip().strip("'")
    return value
