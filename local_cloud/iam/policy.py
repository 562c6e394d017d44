"""Policy documents as frozen data, checked while they are read.

A document that AWS would refuse is refused here with PolicySyntaxError: an element that is misspelt or an operator
that does not exist would otherwise be ignored, and a policy that reads strictly would decide loosely.
The module decides nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import cast

from local_cloud.iam.conditions import Condition, parse_operator
from local_cloud.iam.errors import PolicySyntaxError
from local_cloud.iam.principals import PrincipalElement

_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class PolicyKind(Enum):
    """Where a policy is attached; the kinds differ in the elements that a statement must or must not have."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"


class Effect(Enum):
    """What a statement does when it applies."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Patterns:
    """Values of Action or Resource; negated for NotAction and NotResource."""

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement. `resources` is None where the policy's resource is implied; `principals` is None in
    identity-based policies."""

    effect: Effect
    actions: Patterns
    resources: Patterns | None
    principals: PrincipalElement | None
    conditions: tuple[Condition, ...] = ()
    sid: str | None = None


@dataclass(frozen=True)
class PolicyDocument:
    """A parsed policy. `name` is only for reports, for instance the inline policy's name or the policy's ARN.

    `variables` is false for version 2008-10-17 (also the default version), which has no policy variables.
    """

    statements: tuple[Statement, ...]
    variables: bool
    kind: PolicyKind
    name: str


def parse_policy(document: str | bytes | Mapping[str, object], *, kind: PolicyKind, name: str = "") -> PolicyDocument:
    """Parse a policy given as JSON text or as decoded JSON.

    Raises PolicySyntaxError that names the policy, the statement and the element.
    """
    if isinstance(document, Mapping):
        return _parse(document, kind=kind, name=name)
    return _parse_text(document, kind, name)


@lru_cache(maxsize=1024)
def _parse_text(text: str | bytes, kind: PolicyKind, name: str) -> PolicyDocument:
    try:
        decoded = json.loads(text)
    except ValueError as error:
        raise PolicySyntaxError(f"Syntax errors in policy {name!r}: {error}") from error
    if not isinstance(decoded, dict):
        raise PolicySyntaxError(f"Syntax errors in policy {name!r}: expected a JSON object.")
    return _parse(decoded, kind=kind, name=name)


def _parse(document: Mapping[str, object], *, kind: PolicyKind, name: str) -> PolicyDocument:
    where = f"policy {name!r}" if name else "policy"
    _refuse_unknown(document, _DOCUMENT_ELEMENTS, where)
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicySyntaxError(f"{where}: Version must be one of {', '.join(_VERSIONS)}, not {version!r}.")
    if "Statement" not in document:
        raise PolicySyntaxError(f"{where}: Missing required field Statement.")
    listed = document["Statement"]
    statements = listed if isinstance(listed, list) else [listed]
    parsed = tuple(
        _parse_statement(statement, kind=kind, where=f"{where}, statement {number}")
        for number, statement in enumerate(statements, start=1)
    )
    return PolicyDocument(parsed, variables=version == "2012-10-17", kind=kind, name=name)


def _parse_statement(statement: object, *, kind: PolicyKind, where: str) -> Statement:
    if not isinstance(statement, Mapping):
        raise PolicySyntaxError(f"{where}: expected an object.")
    _refuse_unknown(statement, _STATEMENT_ELEMENTS, where)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicySyntaxError(f"{where}: Effect must be Allow or Deny, not {statement.get('Effect')!r}.")
    actions = _patterns(statement, "Action", where)
    if actions is None:
        raise PolicySyntaxError(f"{where}: Policy statement must contain actions.")
    effect, resources = Effect(statement["Effect"]), _patterns(statement, "Resource", where)
    principals = _principals(statement, where)
    _check_kind(kind, effect=effect, resources=resources, principals=principals, where=where)
    sid = statement.get("Sid")
    return Statement(
        effect=effect,
        actions=actions,
        resources=resources,
        principals=principals,
        conditions=tuple(_conditions(statement.get("Condition", {}), where)),
        sid=sid if isinstance(sid, str) and sid else None,
    )


def _check_kind(
    kind: PolicyKind, *, effect: Effect, resources: Patterns | None, principals: PrincipalElement | None, where: str
) -> None:
    if kind is PolicyKind.IDENTITY and principals is not None:
        raise PolicySyntaxError(f"{where}: Policy document should not specify a principal.")
    if kind is PolicyKind.IDENTITY and resources is None:
        raise PolicySyntaxError(f"{where}: Policy statement must contain resources.")
    if kind is not PolicyKind.IDENTITY and principals is None:
        raise PolicySyntaxError(f"{where}: Missing required field Principal.")
    if kind is PolicyKind.TRUST and resources is not None:
        raise PolicySyntaxError(f"{where}: Has prohibited field Resource.")
    if principals is not None and principals.negated and (kind is PolicyKind.TRUST or effect is Effect.ALLOW):
        raise PolicySyntaxError(f"{where}: NotPrincipal is only supported with Deny, and not in trust policies.")


def _patterns(statement: Mapping[str, object], element: str, where: str) -> Patterns | None:
    """The element or its Not form; both together are refused."""
    negative = f"Not{element}"
    if element in statement and negative in statement:
        raise PolicySyntaxError(f"{where}: {element} and {negative} exclude each other.")
    for name in (element, negative):
        if name in statement:
            return Patterns(_strings(statement[name], f"{where}, {name}"), negated=name == negative)
    return None


def _principals(statement: Mapping[str, object], where: str) -> PrincipalElement | None:
    if "Principal" in statement and "NotPrincipal" in statement:
        raise PolicySyntaxError(f"{where}: Principal and NotPrincipal exclude each other.")
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            entries = tuple(_principal_entries(statement[name], f"{where}, {name}"))
            return PrincipalElement(entries, negated=name == "NotPrincipal")
    return None


def _principal_entries(element: object, where: str) -> Iterator[tuple[str, str]]:
    if element == "*":
        yield "AWS", "*"
        return
    if not isinstance(element, Mapping):
        raise PolicySyntaxError(f'{where}: expected "*" or an object.')
    _refuse_unknown(element, _PRINCIPAL_KINDS, where)
    for kind, values in element.items():
        for value in _strings(values, where):
            if "*" in value and value != "*":
                raise PolicySyntaxError(f"{where}: Invalid principal in policy: {value} (no partial wildcards).")
            yield kind, value


def _conditions(block: object, where: str) -> Iterator[Condition]:
    if not isinstance(block, Mapping):
        raise PolicySyntaxError(f"{where}, Condition: expected an object.")
    for operator, keys in block.items():
        try:
            set_operator, name, if_exists = parse_operator(operator)
        except PolicySyntaxError as error:
            raise PolicySyntaxError(f"{where}: {error}") from error
        if not isinstance(keys, Mapping):
            raise PolicySyntaxError(f"{where}, Condition {operator}: expected an object of condition keys.")
        for key, values in keys.items():
            yield Condition(
                operator=name,
                key=key,
                values=_scalars(values, f"{where}, Condition {operator}, {key}"),
                set_operator=set_operator,
                if_exists=if_exists,
            )


def _strings(value: object, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str) and item for item in values):
        raise PolicySyntaxError(f"{where}: expected a string or a list of strings.")
    return tuple(cast(list[str], values))


def _scalars(value: object, where: str) -> tuple[str, ...]:
    """Condition values: strings, numbers or booleans, as text."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | bool | int | float) for item in values):
        raise PolicySyntaxError(f"{where}: expected strings, numbers or booleans.")
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)


def _refuse_unknown(element: Mapping[str, object], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(element) - known)
    if unknown:
        raise PolicySyntaxError(f"{where}: Syntax errors in policy: unknown element {', '.join(unknown)}.")
