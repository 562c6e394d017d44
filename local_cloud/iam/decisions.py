"""A bounded log of decisions, and the grants that no logged request ever used.

The log is the evidence of least privilege: a test runs the product, then asks which granted actions stayed unused.
The module takes no decisions and forgets the oldest ones when it is full.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from local_cloud.iam.context import EMPTY_CONTEXT
from local_cloud.iam.evaluation import AuthorizationRequest, Decision, covers_resource
from local_cloud.iam.matching import matches_action
from local_cloud.iam.policy import Effect, PolicyDocument, Statement

DEFAULT_CAPACITY = 20_000


@dataclass(frozen=True)
class RecordedDecision:
    """One decision. `role` is the role's ARN, or the caller's ARN when it is no role session."""

    role: str
    action: str
    resource: str
    allowed: bool
    reason: str


@dataclass(frozen=True)
class UnusedGrant:
    """An action pattern of an Allow statement that no allowed request of the role needed.

    `action` is the pattern as the policy writes it; a NotAction element is shown as `NotAction: a, b`.
    """

    role: str
    policy: str
    sid: str | None
    action: str
    resources: tuple[str, ...]


class DecisionLog:
    """Decisions in the order in which they were taken. Safe to use from several threads; mutable by design."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._decisions: deque[RecordedDecision] = deque(maxlen=capacity)
        self._lock = Lock()
        self._dropped = 0

    def record(self, request: AuthorizationRequest, decision: Decision) -> None:
        """Add one decision; the oldest is dropped when the log is full."""
        entry = RecordedDecision(
            role=request.caller.role_arn or request.caller.arn,
            action=request.action,
            resource=request.resource,
            allowed=decision.allowed,
            reason=decision.reason,
        )
        with self._lock:
            self._dropped += len(self._decisions) == self._decisions.maxlen
            self._decisions.append(entry)

    def entries(self, *, role: str | None = None, allowed: bool | None = None) -> tuple[RecordedDecision, ...]:
        """A snapshot, optionally of one role, or of only the allowed or the refused requests."""
        with self._lock:
            snapshot = tuple(self._decisions)
        return tuple(
            entry
            for entry in snapshot
            if (role is None or entry.role == role) and (allowed is None or entry.allowed is allowed)
        )

    @property
    def dropped(self) -> int:
        """How many decisions were dropped; a least-privilege check needs this to be 0."""
        with self._lock:
            return self._dropped

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._decisions.clear()
            self._dropped = 0


def unused_grants(
    role_policies: Mapping[str, Sequence[PolicyDocument]], decisions: Iterable[RecordedDecision]
) -> tuple[UnusedGrant, ...]:
    """Granted actions that no allowed decision used, for identity-based policies by role ARN.

    A grant counts as used when an allowed request of the role matches the action pattern and the statement's
    resources. Conditions and policy variables in resources are not replayed: the log does not keep the context.
    """
    used = [entry for entry in decisions if entry.allowed]
    return tuple(
        UnusedGrant(role, policy.name, statement.sid, action, statement.resources.values if statement.resources else ())
        for role, policies in role_policies.items()
        for policy in policies
        for statement in policy.statements
        if statement.effect is Effect.ALLOW
        for action in _unused_actions(statement, [entry for entry in used if entry.role == role])
    )


def _unused_actions(statement: Statement, used: Sequence[RecordedDecision]) -> tuple[str, ...]:
    reached = [entry.action for entry in used if _reaches(statement, entry.resource)]
    patterns = statement.actions.values
    if statement.actions.negated:
        needed = any(not any(matches_action(pattern, action) for pattern in patterns) for action in reached)
        return () if needed else (f"NotAction: {', '.join(patterns)}",)
    return tuple(pattern for pattern in patterns if not any(matches_action(pattern, action) for action in reached))


def _reaches(statement: Statement, resource: str) -> bool:
    if statement.resources is None:
        return True
    return covers_resource(statement.resources, resource, context=EMPTY_CONTEXT, variables=False)
