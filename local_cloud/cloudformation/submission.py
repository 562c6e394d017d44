"""From the parameters of a request to a checked submission: template, parameters, and the stack's settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from botocore.exceptions import ClientError

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.exports import StackLinks
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.intrinsics.scope import Scope
from local_cloud.cloudformation.operator import Toolbox
from local_cloud.cloudformation.parameters import Parameter, resolve_parameters
from local_cloud.cloudformation.plan import active
from local_cloud.cloudformation.preflight import (
    check_capabilities,
    check_properties,
    check_template,
    check_types,
)
from local_cloud.cloudformation.properties import PropertyResolver
from local_cloud.cloudformation.rules import check_rules
from local_cloud.cloudformation.stacks import LiveValues, Stack, StackStore
from local_cloud.cloudformation.template import Template, parse_template
from local_cloud.service import RequestContext

_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_REFUSED = {
    "StackPolicyBody": "stack policies",
    "StackPolicyURL": "stack policies",
    "ResourcesToImport": "resource import",
    "ResourceTypes": "restriction by ResourceTypes",
}


@dataclass(frozen=True)
class Submission:
    """What a create, an update or a change set asks for; checked, nothing carried out."""

    template: Template
    parameters: Mapping[str, Parameter]
    tags: list[dict[str, str]]
    capabilities: list[str]
    notification_arns: list[str]
    role_arn: str | None
    token: str | None = None
    on_failure: str = "ROLLBACK"
    retain_except_on_create: bool = False
    import_existing: bool = False
    timeout_minutes: int | None = None


class Submissions:
    """Reads and checks submissions, in the scope of one account and region."""

    def __init__(self, context: RequestContext, store: StackStore, tools: Toolbox) -> None:
        self._context = context
        self._store = store
        self._tools = tools

    def read(self, params: Mapping[str, Any], stack: Stack) -> Submission:
        """The submission for a stack; raises ValidationError or InsufficientCapabilitiesException.

        Every type and function is checked here, so that nothing is created of a template that cannot work.
        """
        for name, what in _REFUSED.items():
            if params.get(name):
                raise ValidationError(f"{name}: {what} is not emulated by the local cloud")
        if (params.get("RollbackConfiguration") or {}).get("RollbackTriggers"):
            raise ValidationError("RollbackConfiguration: rollback triggers are not emulated by the local cloud")
        template = stack.template if params.get("UsePreviousTemplate") else self.template(params)
        if template is None:
            raise ValidationError("Cannot use the previous template: the stack has none")
        check_template(template)
        check_capabilities(template, list(params.get("Capabilities", [])))
        submission = Submission(
            template=template,
            parameters=resolve_parameters(
                template.parameters, params.get("Parameters", []), stack.parameters, fetch=self.fetch
            ),
            tags=[dict(tag) for tag in params.get("Tags", stack.tags)],
            capabilities=list(params.get("Capabilities", [])),
            notification_arns=list(params.get("NotificationARNs", stack.notification_arns)),
            role_arn=params.get("RoleARN", stack.role_arn),
            token=params.get("ClientRequestToken"),
            on_failure="DO_NOTHING" if params.get("DisableRollback") else params.get("OnFailure", "ROLLBACK"),
            retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
            import_existing=bool(params.get("ImportExistingResources")),
            timeout_minutes=params.get("TimeoutInMinutes"),
        )
        self._check(submission, stack)
        return submission

    def template(self, params: Mapping[str, Any]) -> Template:
        """The template of a request, from its body or its URL."""
        if params.get("TemplateBody"):
            return parse_template(params["TemplateBody"])
        if not params.get("TemplateURL"):
            raise ValidationError("Either Template URL or Template Body must be specified.")
        return parse_template(self._fetch_template(params["TemplateURL"]))

    def fetch(self, name: str) -> str:
        """A Parameter Store value; raises ValidationError in CloudFormation's words."""
        client = self._client("ssm")
        try:
            return str(client.get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise ValidationError(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from error

    def scope(self, stack: Stack, submission: Submission) -> tuple[Scope, StackLinks]:
        """The names a template sees, with the live resources of the stack, and the record of what it imports."""
        links = StackLinks(self._store)
        scope = Scope(
            pseudo={
                "AWS::AccountId": self._context.account,
                "AWS::Region": self._context.region,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::StackId": stack.id,
                "AWS::StackName": stack.name,
                "AWS::NotificationARNs": submission.notification_arns,
            },
            parameters={key: parameter.typed for key, parameter in submission.parameters.items()},
            mappings=submission.template.mappings,
            conditions=submission.template.conditions,
            resources=LiveValues(stack.resources),
            cross_stack=links,
        )
        return scope, links

    def resolver(self) -> PropertyResolver:
        """What turns definitions into properties here."""
        return PropertyResolver(self._tools.schemas, self.fetch)

    def _check(self, submission: Submission, stack: Stack) -> None:
        scope, _ = self.scope(stack, submission)
        evaluator = Evaluator(scope)
        check_rules(submission.template, evaluator)
        definitions = active(submission.template, evaluator)
        check_types(definitions, self._tools.providers)
        check_properties(definitions, self._tools.providers, self._tools.schemas)
        retyped = sorted(
            logical_id
            for logical_id, live in stack.resources.items()
            if logical_id in definitions and definitions[logical_id].type != live.definition.type
        )
        if retyped:
            raise ValidationError(
                "Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{', '.join(retyped)}]"
            )

    def _fetch_template(self, url: str) -> str:
        bucket, key, version = template_location(url)
        chosen = {"VersionId": version} if version else {}
        try:
            answer = self._client("s3").get_object(Bucket=bucket, Key=key, **chosen)
        except ClientError as error:
            raise ValidationError(f"S3 error: {error.response['Error']['Message']} ({url})") from error
        return str(answer["Body"].read().decode())

    def _client(self, service: str) -> Any:
        return self._tools.clients.system(service, account=self._context.account, region=self._context.region)


def template_location(url: str) -> tuple[str, str, str | None]:
    """(bucket, key, version id) of a template URL in any of S3's address styles, or of this server's own.

    Raises ValidationError if the URL names no bucket and key.
    """
    parsed = urlparse(url)
    path = unquote(parsed.path).lstrip("/")
    version = parse_qs(parsed.query).get("versionId", [None])[0]
    match = _S3_HOST.fullmatch(parsed.hostname or "")
    if match and match.group("bucket"):
        return match.group("bucket"), path, version
    bucket, _, key = path.partition("/")
    if not (bucket and key and parsed.scheme in ("http", "https")):
        raise ValidationError(f"TemplateURL must be a supported URL: {url}")
    return bucket, key, version
