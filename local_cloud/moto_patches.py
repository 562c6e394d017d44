"""The only importer of moto: where its internals are replaced, so that a moto upgrade is read in one file.

moto is pinned exactly; `tests/local_cloud/test_moto_patches.py` has a test for each patch (and
`tests/local_cloud/endpoints/test_over_http.py` for 6, `tests/local_cloud/scheduler/test_on_the_server.py` for scheduled
rules, `tests/local_cloud/test_mail.py` for 7). Seven points are changed:

1. every request is authorized (`BaseResponse.call_action`, S3's own hook), errors in the protocol of the service;
2. services that the local cloud owns answer from their operation tables instead of moto's methods, except for
   operations that the table delegates; what moto writes to logs is shown to the engines;
3. Lambda functions really run (`LambdaFunction._invoke_lambda`, `LambdaBackend.invoke`);
4. EventBridge rules deliver through our own engine (`Rule.send_to_targets`), S3 events with AWS's fields;
   rules with a schedule are checked, and shown to the engine that fires them (`EventsBackend.put_rule` and others);
5. `sts:AssumeRole` needs an existing role whose trust policy names the caller;
6. bodies of the SageMaker runtime stay the bytes that were sent, with the content type that the model gave;
7. SNS writes what it would e-mail into files (`Subscription.publish`, `SNSBackend.subscribe`).
"""

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote

import moto.core.responses as core_responses
import moto.core.routing as core_routing
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator
from moto import backends as moto_services
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.config import default_user_config
from moto.core.exceptions import ServiceException
from moto.core.request import determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.events.models import EventsBackend, Rule, events_backends
from moto.iam import models as iam_models
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3 import notifications as s3_notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from moto.sns.models import SNSBackend, Subscription, sns_backends
from moto.sqs.models import sqs_backends
from moto.sts.models import STSBackend, sts_backends
from werkzeug.exceptions import NotFound

from local_cloud.authorization import ApiRequest, RolePolicies
from local_cloud.clients import SYSTEM_ACCESS_KEY
from local_cloud.functions.runner import check_payload
from local_cloud.functions.specification import FunctionSpec, InvocationResult
from local_cloud.mail import PROTOCOLS, Mailboxes, Notification
from local_cloud.scheduler.rules import ScheduledRule
from local_cloud.service import Fidelity, RequestContext, Service, ServiceError
from local_cloud.stepfunctions.interpretation import Interpretation, Program, TaskRunner

_log = logging.getLogger("local_cloud")
_original_call_action = BaseResponse.call_action
_original_assume_role = STSBackend.assume_role
_original_runtime_setup = SageMakerRuntimeResponse.setup_class
_original_function_invoke = LambdaBackend.invoke
_original_function_init = LambdaFunction.__init__
_original_function_update = LambdaFunction.update_configuration
_original_function_configuration = LambdaFunction.get_configuration
_original_subscribe = SNSBackend.subscribe
_original_notify = Subscription.publish
RequestHandler = MotoRequestHandler


class Gate(Protocol):
    """Decides every request; raises ServiceError when it is refused."""

    def authorize(self, request: ApiRequest) -> None: ...


class Deliver(Protocol):
    """Hands an event to one target of one rule; returns at once."""

    def __call__(
        self, *, account: str, region: str, rule_arn: str, target: Mapping[str, Any], event: dict[str, Any]
    ) -> None: ...


@dataclass(frozen=True)
class Hooks:
    """The engines that take over from moto."""

    services: Sequence[Service]
    gate: Gate
    deliver: Deliver
    emit: Callable[..., None]
    invoke: Callable[[FunctionSpec, str], InvocationResult]
    invoke_later: Callable[[FunctionSpec, str], str]
    observe_logs: Callable[[RequestContext, Mapping[str, Any]], None]
    matches: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    check_schedule: Callable[[str], None]
    rules_changed: Callable[[str, str], None]
    mail: Mailboxes


def install(hooks: Hooks) -> None:
    """Replace moto's behaviour in this process. Call once, before the first request."""
    default_user_config["iam"]["load_aws_managed_policies"] = True
    _own_services(hooks)
    _run_functions(hooks)
    _deliver_events(hooks)
    _tell_of_rules(hooks)
    _write_mail(hooks)
    SageMakerRuntimeResponse.use_raw_body = True
    SageMakerRuntimeResponse.setup_class = _keep_body_as_sent
    # moto asks the disk for the names of its 175 services, with every request.
    modules = tuple(moto_services.list_of_moto_modules())
    moto_services.list_of_moto_modules = lambda: modules
    core_responses.determine_request_protocol = core_routing.determine_request_protocol = _protocol
    iam_models.get_account_id_from = _account_of
    STSBackend.assume_role = _remember_assumed_role
    # moto evaluates bucket policies by itself, and takes every condition as met; the gate has decided already.
    FakeBucket.get_permission = lambda _bucket, _action, _resource: PermissionResult.PERMITTED
    # S3 takes a log bucket whose policy for log delivery is not there yet; CloudFormation creates both in any order.
    FakeBucket._log_permissions_enabled_policy = staticmethod(lambda **_: True)
    warnings.filterwarnings("ignore", message="Exception.*does not match an error shape")


def application() -> Callable[..., Iterable[bytes]]:
    """moto's WSGI application: every AWS service behind one port, told apart by the request's signature."""
    wsgi: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
    return wsgi


def reset() -> None:
    """Empty every moto backend."""
    _assumed_roles.clear()
    moto_api_backend.reset()


# --- requests -----------------------------------------------------------------------------------------------------

_assumed_roles: dict[str, tuple[str, str]] = {}


def _account_of(access_key: str) -> str:
    """moto looks into all partitions of AWS, which builds eight IAM backends at the first request after a reset."""
    for account_id, account in list(iam_backends.items()):
        if access_key in account["aws"].access_keys:
            return str(account_id)
    return str(DEFAULT_ACCOUNT_ID)


def _remember_assumed_role(self: STSBackend, **kwargs: Any) -> Any:
    role = _original_assume_role(self, **kwargs)
    _assumed_roles[role.access_key_id] = (role.role_arn, role.arn)
    return role


def _context(response: BaseResponse) -> RequestContext:
    role_arn, session_arn = _assumed_roles.get(response.get_access_key(), (None, None))
    return RequestContext(response.current_account, response.region, role_arn, session_arn)


def _keep_body_as_sent(self: SageMakerRuntimeResponse, request: Any, *arguments: Any, **named: Any) -> None:
    """A request to a model is bytes of any kind: read before moto takes a form for one and drops it."""
    request.get_data(cache=True, parse_form_data=False)
    _original_runtime_setup(self, request, *arguments, **named)


def _protocol(service_model: ServiceModel, content_type: str | None = None) -> str:
    """The content type of a request to a model is that of its data; moto takes it for a sign of the protocol."""
    if service_model.service_name == "sagemaker-runtime":
        return str(service_model.protocol)
    return str(determine_request_protocol(service_model, content_type))


def _own_services(hooks: Hooks) -> None:
    owned = {service.name: service for service in hooks.services}

    def call_action(self: BaseResponse) -> Any:
        service, operation = self.boto3_service_name, str(self._get_action() or "")
        try:
            params = _parameters(self, operation)
            if self.get_access_key() != SYSTEM_ACCESS_KEY or operation == "AssumeRole":
                principal = self.headers.get("x-local-cloud-principal")
                source_arn = self.headers.get("x-local-cloud-source-arn")
                call = ApiRequest(_signing_name(self), operation, params, _context(self), principal, source_arn)
                hooks.gate.authorize(call)
            if service in owned and not _is_delegated(owned[service], operation):
                # moto's own rewriting of answers is for its own objects.
                self.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}
                return _answer(self, ActionResult(_call(owned[service], operation, params, _context(self))))
            answer = _original_call_action(self)
            if (service, operation) == ("logs", "PutLogEvents"):
                hooks.observe_logs(_context(self), params)
            return answer
        except ServiceError as error:
            return _answer_error(self, error)
        except NotImplementedError:
            return _answer_error(self, _unknown_operation(service, operation))
        except Exception:  # noqa: BLE001 - a defect in an engine or in moto must reach the client as AWS's InternalFailure
            _log.exception("%s:%s failed", service, operation)
            problem = f"The local cloud failed in {service}:{operation}; `python -m local_cloud logs` has the details."
            return _answer_error(self, ServiceError("InternalFailure", problem, status=500))

    def authorize_s3(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        if self.get_access_key() == SYSTEM_ACCESS_KEY:
            return
        operation, params = _s3_request(self, bucket_name, key_name)
        try:
            hooks.gate.authorize(ApiRequest("s3", operation, params, _context(self)))
        except ServiceError as error:
            raise _AnsweredByS3(error.code, error.message) from None

    BaseResponse.call_action = call_action
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = lambda self, resource="*": None
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = authorize_s3


class _Answered(ServiceException):  # type: ignore[misc]
    """A ServiceError in moto's terms; a class of this module, because moto looks services up by an error's module."""


class _AnsweredByS3(S3ClientError):  # type: ignore[misc]
    """The same for S3, whose responses catch their own class only."""


def _parameters(response: BaseResponse, operation: str) -> dict[str, Any]:
    """The request in botocore's input shape; moto's services that parse by hand keep what they had."""
    model = core_responses.get_service_model(response.boto3_service_name)
    if operation not in model.operation_names:
        raise _unknown_operation(response.boto3_service_name, operation)
    before = getattr(response, "params", None)
    response.parse_parameters(response.normalized_request)
    parsed = _empty_payload(model.operation_model(operation)) | dict(response.params or {})
    if before is not None and not response.automated_parameter_parsing:
        response.params = before
    return parsed


def _empty_payload(operation: OperationModel) -> dict[str, Any]:
    """A body of no bytes, which moto's parser takes for a missing one where the body is a parameter."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    required = payload in shape.required_members if shape is not None else False
    return {payload: b""} if payload and required and shape.members[payload].type_name == "blob" else {}


def _signing_name(response: BaseResponse) -> str:
    return str(core_responses.get_service_model(response.boto3_service_name).signing_name)


def _unknown_operation(service: str, operation: str) -> ServiceError:
    return ServiceError(
        "NotImplemented",
        f"{service}:{operation or '(no operation)'} is not emulated by the local cloud. "
        "docs/local-cloud.md lists what is.",
        status=501,
    )


def _call(service: Service, operation: str, params: dict[str, Any], context: RequestContext) -> dict[str, Any]:
    entry = service.operations.get(operation)
    if entry is None or entry.handler is None:
        raise _unknown_operation(service.name, operation)
    model = core_responses.get_service_model(service.name).operation_model(operation)
    _validate(model, params)
    return entry.handler(context, params)


def _is_delegated(service: Service, operation: str) -> bool:
    """Whether moto answers an operation of a service that the local cloud owns otherwise."""
    entry = service.operations.get(operation)
    return entry is not None and entry.fidelity is Fidelity.DELEGATED


def _validate(model: OperationModel, params: dict[str, Any]) -> None:
    """Refuse a malformed request as AWS does: clients other than boto3 do not check before they send."""
    if model.input_shape is None:
        return
    report = ParamValidator().validate(params, model.input_shape)
    if report.has_errors():
        raise ServiceError("ValidationException", report.generate_report())


def _answer(response: BaseResponse, result: ActionResult) -> Any:
    status, headers, body = response.serialized(result)
    if isinstance(body, bytes) and isinstance(result.result, dict) and "ContentType" in result.result:
        # moto's serializer writes its own content type over that of a payload.
        headers["Content-Type"] = result.result["ContentType"]
    headers, body = response._enrich_response(headers, body)
    return status, headers, body


def _answer_error(response: BaseResponse, error: ServiceError) -> Any:
    exception = _Answered(error.code, error.message)
    for name, value in error.members.items():
        setattr(exception, name, value)
    status, headers, body = _answer(response, ActionResult(exception))
    return (error.status if error.status != 400 else status), headers, body


def _s3_request(response: Any, bucket: str | None, key: str | None) -> tuple[str, dict[str, Any]]:
    """S3's operation and the few parameters that authorization reads; the body is not parsed for it."""
    try:
        operation = core_responses.get_service_router("s3").match(response.normalized_request)[0].name
    except (NotFound, NotImplementedError):
        operation = str(response.data.get("Action", "Unknown"))
    query = response.normalized_request.args
    headers = response.headers
    given = {
        "Bucket": bucket,
        "Key": key,
        "VersionId": query.get("versionId"),
        "Prefix": query.get("prefix"),
        "CopySource": unquote(headers.get("x-amz-copy-source", "")).lstrip("/") or None,
        "ServerSideEncryption": headers.get("x-amz-server-side-encryption"),
        "SSEKMSKeyId": headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
    }
    return operation, {name: value for name, value in given.items() if value is not None}


# --- what the authorizer reads ------------------------------------------------------------------------------------


class MotoPolicies:
    """The policies that are stored in moto's backends (a PolicySource)."""

    def role_policies(self, role_arn: str) -> RolePolicies | None:
        """Policies of a role, or None if there is no such role."""
        backend = iam_backends[role_arn.split(":")[4]]["aws"]
        role = next((candidate for candidate in backend.roles.values() if candidate.arn == role_arn), None)
        if role is None:
            return None
        managed = {policy.arn: _default_version(policy) for policy in role.managed_policies.values()}
        boundary = backend.managed_policies.get(role.permissions_boundary_arn or "")
        return RolePolicies(
            identity={name: _text(document) for name, document in role.policies.items()} | managed,
            boundary=_default_version(boundary) if boundary else None,
            trust=_text(role.assume_role_policy_document),
        )

    def resource_policy(self, arn: str, *, account: str, region: str) -> str | None:
        """The resource-based policy of a bucket, key, queue, topic or function, if it has one."""
        service, name = arn.split(":")[2], arn.split(":", 5)[5]
        holder: Any = None
        if service == "s3":
            holder = s3_backends[account]["aws"].buckets.get(name.split("/")[0])
        elif service == "kms":
            holder = kms_backends[account][region].keys.get(name.split("/")[-1])
        elif service == "sqs":
            holder = sqs_backends[account][region].queues.get(name)
        elif service == "sns":
            holder = sns_backends[account][region].topics.get(arn)
        elif service == "lambda":
            return _function_policy(arn, account=account, region=region)
        return _text(holder.policy) if holder is not None and holder.policy else None

    def bucket_encryption_key(self, bucket: str, *, account: str) -> str | None:
        """The KMS key ARN with which the bucket encrypts by default, or None (S3-managed keys)."""
        known = s3_backends[account]["aws"].buckets.get(bucket)
        rule = (known.encryption or {}).get("Rule", {}) if known is not None else {}
        rule = rule[0] if isinstance(rule, list) else rule
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        return str(key) if key else None

    def object_exists(self, bucket: str, key: str, *, account: str) -> bool:
        """Whether the key has a current version in the bucket."""
        known = s3_backends[account]["aws"].buckets.get(bucket)
        return known is not None and key in known.keys


def queue_depths(account: str, region: str, queue: str) -> Mapping[str, int] | None:
    """Numbers of messages in a queue by the names of their CloudWatch metrics, or None if there is no such queue."""
    known = sqs_backends[account][region].queues.get(queue)
    if known is None:
        return None
    return {
        "ApproximateNumberOfMessagesVisible": known.approximate_number_of_messages,
        "ApproximateNumberOfMessagesNotVisible": known.approximate_number_of_messages_not_visible,
        "ApproximateNumberOfMessagesDelayed": known.approximate_number_of_messages_delayed,
    }


def _function_policy(arn: str, *, account: str, region: str) -> str | None:
    functions = lambda_backends[account][region].list_functions()
    function = next((known for known in functions if known.function_arn == arn), None)
    if function is None or not function.policy.statements:
        return None
    # moto qualifies the resource of an unqualified permission with :$LATEST, AWS does not.
    statements = [
        statement | {"Resource": statement["Resource"].removesuffix(":$LATEST")}
        for statement in function.policy.statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _default_version(policy: Any) -> str:
    return _text(next(version.document for version in policy.versions if version.is_default))


def _text(document: Any) -> str:
    if isinstance(document, bytes):
        return document.decode()
    return document if isinstance(document, str) else json.dumps(document)


def known_access_keys() -> int:
    """How many roles were assumed since the start: shown by the status page."""
    return sum(len(backend.assumed_roles) for account in sts_backends.values() for backend in account.values())


# --- Lambda -------------------------------------------------------------------------------------------------------


def _run_functions(hooks: Hooks) -> None:
    def run(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        payload = event if isinstance(event, str) else json.dumps(event)
        result = hooks.invoke(function_specification(self), payload)
        return result.payload, result.error is not None, result.log_tail

    def invoke(
        self: LambdaBackend, function_name: str, qualifier: str | None, body: Any, headers: Any, out: Any
    ) -> Any:
        if headers.get("x-amz-invocation-type") == "Event":
            payload = body.decode() if isinstance(body, bytes) else body
            hooks.invoke_later(function_specification(self.get_function(function_name, qualifier)), payload or "{}")
            return ""
        check_payload(body.decode() if isinstance(body, bytes) else body or "{}")
        answer = _original_function_invoke(self, function_name, qualifier, body, headers, out)
        if out.get("x-amz-function-error"):
            out["x-amz-function-error"] = "Unhandled"
        return answer

    LambdaFunction._invoke_lambda = run
    LambdaBackend.invoke = invoke
    LambdaFunction.__init__ = _keep_all_settings
    LambdaFunction.update_configuration = _update_all_settings
    LambdaFunction.get_configuration = _tell_all_settings


# moto drops these settings; they decide where failed events and log lines go.
_DROPPED_SETTINGS = ("DeadLetterConfig", "LoggingConfig")


def _keep_all_settings(self: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:
    _original_function_init(self, account_id, spec, *arguments, **named)
    self.dropped_settings = {name: spec[name] for name in _DROPPED_SETTINGS if spec.get(name)}


def _update_all_settings(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
    self.dropped_settings |= {name: config_updates[name] for name in _DROPPED_SETTINGS if name in config_updates}
    configuration: dict[str, Any] = _original_function_update(self, config_updates)
    return configuration


def _tell_all_settings(self: Any, on_create: bool = False) -> dict[str, Any]:
    settings: dict[str, Any] = _original_function_configuration(self, on_create) | self.dropped_settings
    return settings


def function_specification(function: LambdaFunction) -> FunctionSpec:
    """What the function runner needs to know of a function that was created through the API."""
    settings = function.dropped_settings
    logging_config = settings.get("LoggingConfig", {})
    reserved = function.reserved_concurrency
    return FunctionSpec(
        account=function.account_id,
        region=function.region,
        name=function.function_name,
        arn=function.function_arn,
        handler=str(function.handler),
        runtime=str(function.run_time),
        timeout_seconds=float(function.timeout),
        memory_mb=int(function.memory_size),
        environment=dict(function.environment_vars or {}),
        role_arn=function.role,
        code=function.code_bytes,
        code_sha256=function.code_sha_256,
        log_group=logging_config.get("LogGroup", function.logs_group_name),
        version=str(function.version),
        reserved_concurrency=int(reserved) if reserved is not None else None,
        log_format=logging_config.get("LogFormat", "Text"),
        log_level=logging_config.get("ApplicationLogLevel"),
        event_invoke_config=function.event_invoke_config[-1].config if function.event_invoke_config else {},
        dead_letter_arn=settings.get("DeadLetterConfig", {}).get("TargetArn"),
    )


# --- EventBridge --------------------------------------------------------------------------------------------------


def _deliver_events(hooks: Hooks) -> None:
    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        pattern = self.event_pattern.get_pattern()
        event = _event(original_event)
        if self.state != "ENABLED" or not pattern or not hooks.matches(pattern, event):
            return
        for target in list(self.targets):
            hooks.deliver(
                account=self.account_id, region=self.region_name, rule_arn=self.arn, target=target, event=event
            )

    def send_s3_event(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        hooks.emit(
            account=account_id,
            region=bucket.region_name,
            source="aws.s3",
            detail_type=s3_notifications._detail_type(event_name),
            detail=_s3_detail(account_id, bucket, event_name, key),
            resources=[bucket.arn],
        )

    Rule.send_to_targets = send_to_targets
    s3_notifications._send_event_bridge_message = send_s3_event


def _tell_of_rules(hooks: Hooks) -> None:
    def telling(original: Callable[..., Any]) -> Callable[..., Any]:
        def change(self: EventsBackend, *arguments: Any, **named: Any) -> Any:
            if named.get("scheduled_expression"):
                hooks.check_schedule(named["scheduled_expression"])
            answer = original(self, *arguments, **named)
            hooks.rules_changed(self.account_id, self.region_name)
            return answer

        return change

    for name in ("put_rule", "enable_rule", "disable_rule", "delete_rule"):
        setattr(EventsBackend, name, telling(getattr(EventsBackend, name)))


def scheduled_rules(account: str, region: str) -> list[ScheduledRule]:
    """The rules of the default bus that have a schedule."""
    return [
        ScheduledRule(rule.arn, rule.scheduled_expression, rule.state == "ENABLED", tuple(rule.targets))
        for rule in list(events_backends[account][region].event_buses["default"].rules.values())
        if rule.scheduled_expression
    ]


def publish(account: str, region: str, event: dict[str, Any]) -> None:
    """Put an event of an AWS service on the default bus: every rule that matches hands it to its targets."""
    for rule in list(events_backends[account][region].event_buses["default"].rules.values()):
        rule.send_to_targets(event)


def _event(event: Any) -> dict[str, Any]:
    moment = event.get("time")
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": moment}


def _s3_detail(account: str, bucket: Any, event_name: str, key: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    reasons = {"Put": "PutObject", "Copy": "CopyObject", "Post": "POST Object"}
    reason = str(getattr(event_name, "value", event_name)).rsplit(":", 1)[-1]
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {
            "key": key.name,
            "size": key.size,
            "etag": key.etag.strip('"'),
            "sequencer": f"{int(datetime.now(UTC).timestamp() * 1e6):016X}",
        },
        "request-id": "LOCALCLOUD0000000",
        "requester": account,
        "source-ip-address": "127.0.0.1",
        "reason": reasons.get(reason, reason),
    }
    if key.version_id and key.version_id != "null":
        detail["object"]["version-id"] = key.version_id
    return detail


# --- SNS ----------------------------------------------------------------------------------------------------------


def _write_mail(hooks: Hooks) -> None:
    def subscribe(self: SNSBackend, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
        known = set(self.subscriptions)
        subscription = _original_subscribe(self, topic_arn, endpoint, protocol)
        if protocol in PROTOCOLS and subscription.arn not in known:
            hooks.mail.confirm(address=endpoint, topic_arn=topic_arn, subscription_arn=subscription.arn)
        return subscription

    def publish(self: Subscription, message: str, message_id: str, **given: Any) -> None:
        if self.protocol not in PROTOCOLS:
            _original_notify(self, message, message_id, **given)
            return
        wanted = self._filter_policy_matcher
        if wanted is not None and not wanted.matches(given.get("message_attributes"), message):
            return
        structured = given.get("message_structure") == "json"
        hooks.mail.deliver(
            Notification(
                topic_arn=self.topic.arn,
                subscription_arn=self.arn,
                address=self.endpoint,
                message_id=message_id,
                message=self._parse_message_structure(message, self.protocol) if structured else message,
                subject=given.get("subject"),
                sender=self.topic.display_name,
                as_json=self.protocol == "email-json",
            )
        )

    SNSBackend.subscribe = subscribe
    Subscription.publish = publish


# --- Step Functions -----------------------------------------------------------------------------------------------


class StatesInterpreter:
    """moto's interpreter of the Amazon States Language, loaded with the first definition.

    `scale` is the clock's; a task has `shortest_work_seconds` of real time, or its TimeoutSeconds if they are fewer.
    """

    def __init__(self, tasks: TaskRunner, *, scale: float, shortest_work_seconds: float = 30.0) -> None:
        self._tasks = tasks
        self._scale = scale
        self._shortest_work_seconds = shortest_work_seconds
        self._lock = threading.Lock()
        self._loaded: Any = None

    def parse(self, definition: str) -> None:
        """Raise ValueError for a definition that it cannot read."""
        self._module().parse(definition)

    def __call__(self, program: Program) -> Interpretation:
        """A new execution."""
        interpretation: Interpretation = self._module().Interpretation(program)
        return interpretation

    def _module(self) -> Any:
        with self._lock:
            if self._loaded is None:
                # Here, since it takes 1.7 s that a cloud without state machines need not wait for.
                from local_cloud import moto_interpreter

                moto_interpreter.install(
                    self._tasks, scale=self._scale, shortest_work_seconds=self._shortest_work_seconds
                )
                self._loaded = moto_interpreter
            return self._loaded
