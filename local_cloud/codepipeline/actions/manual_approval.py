"""Manual approval: tells a topic that somebody has to decide, and waits for the decision.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlparse

from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, ActionShape, ActionWork
from local_cloud.codepipeline.declaration import ActionDeclaration

_DEFAULT_MINUTES = 7 * 24 * 60
_SHORTEST_WAIT_SECONDS = 60.0
_LONGEST_NAME_IN_SUBJECT = 24


@dataclass(frozen=True)
class Decision:
    """What a person decided; `by` is their ARN."""

    approved: bool
    summary: str
    by: str


class ManualApproval:
    """Approval/AWS/Manual/1."""

    shape = ActionShape(optional=frozenset({"NotificationArn", "CustomData", "ExternalEntityLink"}))

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """The link has to be one, unless a variable makes it."""
        link = action.configuration.get("ExternalEntityLink")
        if link and "#{" not in link and not urlparse(link).scheme:
            yield f"ExternalEntityLink must be a URL: {link}"

    def run(self, work: ActionWork) -> ActionOutcome:
        """Notify, then wait: seven days of cloud time unless the action says otherwise.

        A wait that the clock's scale makes shorter than a minute is lengthened: people are not scaled.
        """
        minutes = work.action.timeout_minutes or _DEFAULT_MINUTES
        if topic := work.configuration.get("NotificationArn"):
            message = json.dumps(_message(work, minutes))
            work.role.client("sns").publish(TopicArn=topic, Subject=_subject(work), Message=message)
        seconds = minutes * 60 * work.clock.scale
        decision = work.control.wait(max(seconds, min(minutes * 60, _SHORTEST_WAIT_SECONDS)))
        if not isinstance(decision, Decision):
            raise ActionFailure(f"The approval was not given within {minutes} minutes")
        if not decision.approved:
            raise ActionFailure(f"Rejected by {decision.by}: {decision.summary}", updated_by=decision.by)
        return ActionOutcome(
            summary=decision.summary or None,
            variables={"ApprovalSummary": decision.summary},
            updated_by=decision.by,
        )


def _message(work: ActionWork, minutes: int) -> dict[str, object]:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html"""
    region, name = work.context.region, work.pipeline_name
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/view?region={region}"
    expires = work.clock.now() + timedelta(minutes=minutes)
    return {
        "region": region,
        "consoleLink": console,
        "approval": {
            "pipelineName": name,
            "stageName": work.stage_name,
            "actionName": work.action.name,
            "token": work.token,
            "expires": expires.strftime("%Y-%m-%dT%H:%MZ"),
            "externalEntityLink": work.configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{console}#/{work.stage_name}/{work.action.name}/approve/{work.token}",
            "customData": work.configuration.get("CustomData"),
        },
    }


def _subject(work: ActionWork) -> str:
    return f"APPROVAL NEEDED: AWS CodePipeline {_short(work.pipeline_name)} for action {_short(work.action.name)}"


def _short(name: str) -> str:
    """SNS takes 100 characters in a subject."""
    return name if len(name) <= _LONGEST_NAME_IN_SUBJECT else f"{name[:_LONGEST_NAME_IN_SUBJECT]}..."
