"""The gate in front of every API call: gathers the policies that apply and lets `local_cloud.iam` decide.

A caller without a role (any plain access key) is the account's administrator and is never refused, except that a
role can only be assumed if it exists and trusts the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from local_cloud.clock import Clock
from local_cloud.iam.actions import required_permissions
from local_cloud.iam.api_call import ApiCall, Permission
from local_cloud.iam.context import RequestContext as IamContext
from local_cloud.iam.decisions import DecisionLog
from local_cloud.iam.errors import access_denied_message, error_code
from local_cloud.iam.evaluation import AuthorizationRequest, Decision, decide
from local_cloud.iam.invocation import may_deliver
from local_cloud.iam.policy import PolicyDocument, PolicyKind, parse_policy
from local_cloud.iam.principals import Caller
from local_cloud.iam.request_keys import request_context, via_service_context
from local_cloud.iam.trust import may_assume_role, may_service_assume_role
from local_cloud.service import RequestContext, ServiceError

_KMS_FOR_READING = ("GetObject", "GetObjectTorrent", "SelectObjectContent")
_KMS_FOR_WRITING = ("PutObject", "CopyObject", "CreateMultipartUpload")
_EXISTENCE_REVEALING = ("GetObject", "HeadObject")


@dataclass(frozen=True)
class ApiRequest:
    """One API call. `signing_name` is the SigV4 service name, `params` botocore's input shape.

    `principal` is the service in whose name a role is assumed (`sagemaker.amazonaws.com`), `source_arn` the resource
    for which it acts, if known; only AssumeRole has them.
    """

    signing_name: str
    operation: str
    params: Mapping[str, Any]
    context: RequestContext
    principal: str | None = None
    source_arn: str | None = None


@dataclass(frozen=True)
class RolePolicies:
    """The policy documents (JSON text) that decide what a role may do, and who may assume it."""

    identity: Mapping[str, str]
    boundary: str | None
    trust: str


class PolicySource(Protocol):
    """Where policies are stored: moto's backends in the server, plain dictionaries in tests."""

    def role_policies(self, role_arn: str) -> RolePolicies | None: ...

    def resource_policy(self, arn: str, *, account: str, region: str) -> str | None: ...

    def bucket_encryption_key(self, bucket: str, *, account: str) -> str | None: ...

    def object_exists(self, bucket: str, key: str, *, account: str) -> bool: ...


class Authorizer:
    """Decides calls and keeps the log of decisions."""

    def __init__(self, policies: PolicySource, clock: Clock) -> None:
        self._policies = policies
        self._clock = clock
        self.log = DecisionLog()

    def authorize(self, request: ApiRequest) -> None:
        """Return if the call is allowed; raise ServiceError in AWS's words if not."""
        if request.operation == "AssumeRole" and request.signing_name == "sts":
            self._authorize_assume_role(request)
        elif request.context.role_arn is not None:
            self._authorize_session(request, request.context.role_arn)

    def permits_delivery(self, *, source_arn: str, target_arn: str) -> Decision:
        """May EventBridge deliver to a function, queue or topic as itself: the target's own policy decides.

        `source_arn` is the rule that delivers.
        """
        _, _, _, region, account, _ = target_arn.split(":", 5)
        return may_deliver(
            "events.amazonaws.com",
            source_arn=source_arn,
            target_arn=target_arn,
            target_policies=self._resource_policies(target_arn, account=account, region=region),
        )

    def reset(self) -> None:
        """Forget the decisions."""
        self.log.clear()

    def refusals(self) -> list[dict[str, Any]]:
        """Refused calls, for the status page."""
        return [asdict(entry) for entry in self.log.entries(allowed=False)]

    def _authorize_session(self, request: ApiRequest, role_arn: str) -> None:
        context = request.context
        session = (context.session_arn or role_arn).rsplit("/", 1)[-1]
        caller = Caller.role_session(role_arn, session_name=session)
        call = ApiCall(request.signing_name, request.operation, request.params, context.region, context.account)
        for permission in (*required_permissions(call), *self._object_permissions(call)):
            decision = self._decide(call, caller, permission, role_arn)
            if not decision.allowed:
                raise _refusal(call, caller, permission, decision)

    def _decide(self, call: ApiCall, caller: Caller, permission: Permission, role_arn: str) -> Decision:
        role = self._policies.role_policies(role_arn)
        identity = [
            parse_policy(text, kind=PolicyKind.IDENTITY, name=name)
            for name, text in (role.identity.items() if role else ())
        ]
        boundary = parse_policy(role.boundary, kind=PolicyKind.IDENTITY) if role and role.boundary else None
        question = AuthorizationRequest(
            caller=caller,
            action=permission.action,
            resource=permission.resource,
            context=request_context(call, caller, now=self._clock.now()).merged(permission.context),
        )
        decision = decide(
            question,
            identity_policies=identity,
            boundary=boundary,
            resource_policies=self._resource_policies(permission.resource, account=call.account, region=call.region),
        )
        self.log.record(question, decision)
        return decision

    def _resource_policies(self, arn: str, *, account: str, region: str) -> Sequence[PolicyDocument]:
        if arn.count(":") < 5:
            return ()
        text = self._policies.resource_policy(arn, account=account, region=arn.split(":")[3] or region)
        return (parse_policy(text, kind=PolicyKind.RESOURCE, name=arn),) if text else ()

    def _object_permissions(self, call: ApiCall) -> Iterator[Permission]:
        """What an object's state asks for besides its own action: its encryption key, and whether it may be missed."""
        bucket, key = call.text("Bucket"), call.text("Key")
        if call.service != "s3" or bucket is None or key is None:
            return
        via_s3 = via_service_context("s3", region=call.region, account=call.account)
        if call.operation in _KMS_FOR_WRITING and (kms_key := self._key_of(call, bucket)):
            yield Permission("kms:GenerateDataKey", kms_key, via_s3)
        source = (call.text("CopySource") or "").split("/")[0] if call.operation == "CopyObject" else bucket
        if call.operation in (*_KMS_FOR_READING, "CopyObject") and (kms_key := self._key_of(call, source)):
            yield Permission("kms:Decrypt", kms_key, via_s3)
        if call.operation in _EXISTENCE_REVEALING and not self._policies.object_exists(
            bucket, key, account=call.account
        ):
            # Without s3:ListBucket S3 answers 403 instead of 404 for a key that does not exist.
            yield Permission("s3:ListBucket", f"arn:{call.partition}:s3:::{bucket}")

    def _key_of(self, call: ApiCall, bucket: str) -> str | None:
        return self._policies.bucket_encryption_key(bucket, account=call.account)

    def _authorize_assume_role(self, request: ApiRequest) -> None:
        role_arn = str(request.params.get("RoleArn", ""))
        role = self._policies.role_policies(role_arn) if role_arn.count(":") >= 5 else None
        caller = _caller(request)
        refused = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        if role is None:
            raise ServiceError("AccessDenied", f"{refused} because the role does not exist", status=403)
        call = ApiCall("sts", "AssumeRole", request.params, request.context.region, request.context.account)
        trust = parse_policy(role.trust, kind=PolicyKind.TRUST, name=role_arn)
        context = request_context(call, caller, now=self._clock.now())
        if request.principal:
            # A service acts for a resource of this account; not every engine says for which one.
            known = {"aws:SourceArn": request.source_arn} if request.source_arn else {}
            source = IamContext.of({"aws:SourceAccount": request.context.account, **known})
            decision = may_service_assume_role(
                request.principal, role_arn=role_arn, trust_policy=trust, context=context.merged(source)
            )
        else:
            decision = may_assume_role(
                role_arn=role_arn,
                trust_policy=trust,
                caller=caller,
                context=context,
                identity_policies=self._identity_of(request.context.role_arn),
            )
        if not decision.allowed:
            raise ServiceError("AccessDenied", f"{refused} {decision.reason}", status=403)

    def _identity_of(self, role_arn: str | None) -> Sequence[PolicyDocument]:
        role = self._policies.role_policies(role_arn) if role_arn else None
        texts = role.identity.items() if role else ()
        return [parse_policy(text, kind=PolicyKind.IDENTITY, name=name) for name, text in texts]


def _caller(request: ApiRequest) -> Caller:
    context = request.context
    if request.principal:
        return Caller.service(request.principal)
    if context.role_arn:
        session = (context.session_arn or context.role_arn).rsplit("/", 1)[-1]
        return Caller.role_session(context.role_arn, session_name=session)
    return Caller.root(context.account)


def _refusal(call: ApiCall, caller: Caller, permission: Permission, decision: Decision) -> ServiceError:
    message = access_denied_message(
        caller_arn=caller.arn, action=permission.action, resource=permission.resource, reason=decision.reason
    )
    code = error_code(call.service)
    return ServiceError(code, message, status=400 if code == "AccessDeniedException" else 403)
