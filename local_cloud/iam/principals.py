"""Callers, and how the Principal element of a resource-based policy names them.

How exactly a policy names a caller decides how far its Allow reaches, so a match is graded instead of yes or no.
The module compares names only; it neither looks up roles nor evaluates statements.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from dataclasses import dataclass
from enum import Enum, IntEnum

from local_cloud.iam.errors import IamError

_ACCOUNT = re.compile(r"\d{12}")


class CallerKind(Enum):
    """Principal types that the local cloud knows; the values are those of `aws:PrincipalType`."""

    ROLE_SESSION = "AssumedRole"
    USER = "User"
    ACCOUNT = "Account"
    SERVICE = "Service"
    ANONYMOUS = "Anonymous"


class PrincipalMatch(IntEnum):
    """How closely a Principal element names a caller, the closest last.

    ACCOUNT delegates to the account: it lets identity-based policies decide and grants nothing by itself.
    ANYONE ("*") and ROLE grant, but permissions boundaries and session policies still limit the session.
    EXACT names the session, the user or the service itself and is limited by nothing but an explicit deny.
    """

    NONE = 0
    ACCOUNT = 1
    ANYONE = 2
    ROLE = 3
    EXACT = 4


@dataclass(frozen=True)
class Caller:
    """Who makes a request. Build it with one of the class methods.

    `arn` is the session ARN of a role session, the user's ARN, the account's root ARN or the service principal.
    `account` is None for services and anonymous callers. `unique_id` is what `aws:userid` shows.
    """

    kind: CallerKind
    arn: str
    account: str | None = None
    role_arn: str | None = None
    unique_id: str | None = None

    @classmethod
    def role_session(cls, role_arn: str, *, session_name: str, unique_id: str | None = None) -> "Caller":
        """A session of a role; the session ARN leaves out the role's path, as STS does."""
        partition, account, resource = _iam_arn(role_arn)
        name = resource.rpartition("/")[2]
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"
        return cls(CallerKind.ROLE_SESSION, arn, account, role_arn, unique_id or f"AROA{name}:{session_name}")

    @classmethod
    def user(cls, user_arn: str, *, unique_id: str | None = None) -> "Caller":
        """An IAM user."""
        _, account, resource = _iam_arn(user_arn)
        return cls(CallerKind.USER, user_arn, account, None, unique_id or f"AIDA{resource.rpartition('/')[2]}")

    @classmethod
    def root(cls, account: str) -> "Caller":
        """The account's root user: no identity-based policy limits it."""
        return cls(CallerKind.ACCOUNT, f"arn:aws:iam::{account}:root", account, None, account)

    @classmethod
    def service(cls, name: str) -> "Caller":
        """An AWS service that calls as itself, for instance `events.amazonaws.com`."""
        return cls(CallerKind.SERVICE, name)

    @classmethod
    def anonymous(cls) -> "Caller":
        """A request without a signature."""
        return cls(CallerKind.ANONYMOUS, "anonymous")


@dataclass(frozen=True)
class PrincipalElement:
    """A Principal or (negated) NotPrincipal element: pairs of kind ("AWS", "Service", ...) and value.

    `"Principal": "*"` is held as ("AWS", "*").
    """

    entries: tuple[tuple[str, str], ...]
    negated: bool = False


def match_principal(element: PrincipalElement, caller: Caller) -> PrincipalMatch:
    """How closely the element names the caller.

    A NotPrincipal element spares a caller only if it lists every identity that AWS may check: the account, the
    role and the session. A caller who is not spared counts as named.
    """
    if not element.negated:
        return max((_match_entry(kind, value, caller) for kind, value in element.entries), default=PrincipalMatch.NONE)
    named = {_match_entry(kind, value, caller) for kind, value in element.entries}
    spared = PrincipalMatch.ANYONE in named or _identity_levels(caller) <= named
    return PrincipalMatch.NONE if spared else PrincipalMatch.ANYONE


def _match_entry(kind: str, value: str, caller: Caller) -> PrincipalMatch:
    if kind == "AWS" and value == "*":
        return PrincipalMatch.ANYONE
    if kind == "Service" and caller.kind is CallerKind.SERVICE and value == caller.arn:
        return PrincipalMatch.EXACT
    if kind != "AWS" or caller.account is None:
        return PrincipalMatch.NONE
    if value == caller.account or (value.endswith(":root") and f"::{caller.account}:" in value):
        return PrincipalMatch.ACCOUNT
    if value == caller.arn:
        return PrincipalMatch.EXACT
    return PrincipalMatch.ROLE if value == caller.role_arn else PrincipalMatch.NONE


def _identity_levels(caller: Caller) -> set[PrincipalMatch]:
    if caller.kind is CallerKind.ROLE_SESSION:
        return {PrincipalMatch.ACCOUNT, PrincipalMatch.ROLE, PrincipalMatch.EXACT}
    if caller.kind is CallerKind.USER:
        return {PrincipalMatch.ACCOUNT, PrincipalMatch.EXACT}
    return {PrincipalMatch.ACCOUNT if caller.kind is CallerKind.ACCOUNT else PrincipalMatch.EXACT}


def _iam_arn(arn: str) -> tuple[str, str, str]:
    """(partition, account, resource) of an IAM ARN."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not _ACCOUNT.fullmatch(parts[4]):
        raise IamError(f"{arn!r} is not the ARN of an IAM role or user: expected arn:aws:iam::<account>:...")
    return parts[1], parts[4], parts[5]
