"""The retraining loop of a deployed app as those see it who start it, watch it and get its mail."""

import email
import json
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import Any

from local_cloud.mail import folder_name
from tests.journeys.deployed_app import DeployedApp
from tests.waiting import wait_for

APPROVERS, OPERATORS = "approvers@example.com", "operators@example.com"
_LOOP_LIMIT_SECONDS = 120
_SUBJECT = {
    "project": "car_prices",
    "stage": "dev",
    "monitor": "inputs",
    "endpoint": "car-prices-dev-production",
    "modelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/car-prices-dev/1",
    "windowStart": "2026-11-23T17:00:00Z",
    "windowEnd": "2026-11-23T18:00:00Z",
}


@dataclass(frozen=True)
class Mail:
    """One message, as its reader sees it."""

    subject: str
    text: str


class Loop:
    """The loop, with an approver and an operator who have subscribed to their topics."""

    def __init__(self, app: DeployedApp) -> None:
        self.app = app
        self.arn = app.outputs["CarPricesRetrainingLoopArn"]
        self._states = app.cloud.client("stepfunctions")
        for topic, address in (("ApprovalTopicArn", APPROVERS), ("FailureTopicArn", OPERATORS)):
            app.cloud.client("sns").subscribe(TopicArn=app.outputs[topic], Protocol="email", Endpoint=address)

    def find_violation(self, *, times: int = 1, summary: str = "engine_hp has moved") -> list[str]:
        """Tell the bus of a violation, all times at once; ARNs of the executions that it starts."""
        found = {"kinds": ["data_quality"], "features": ["engine_hp"], "summary": summary}
        detail = json.dumps(
            _SUBJECT | {"rows": 500, "verdict": "violation", "report": "s3://bucket/run/result/report.html"} | found
        )
        entry = {"Source": "cd4ml.monitoring", "DetailType": "Violation Found", "Detail": detail}
        before = set(self.executions())
        self.app.cloud.client("events").put_events(Entries=[entry] * times)
        wait_for(lambda: len(set(self.executions()) - before) >= times, what="the loop to hear of it")
        return [arn for arn in self.executions() if arn not in before]

    def start_by_hand(self) -> str:
        """Start the loop as a person does; the execution's ARN."""
        given = json.dumps({"reason": "manual"})
        return str(self._states.start_execution(stateMachineArn=self.arn, input=given)["executionArn"])

    def kill(self, execution: str) -> None:
        """End an execution from outside."""
        self._states.stop_execution(executionArn=execution)

    def executions(self) -> list[str]:
        """ARNs of the state machine's executions, the oldest first."""
        listed = self._states.list_executions(stateMachineArn=self.arn)["executions"]
        return [execution["executionArn"] for execution in listed][::-1]

    def ended(self, execution: str) -> dict[str, Any]:
        """The description of an execution once it has ended, whatever its end."""

        def described() -> dict[str, Any] | None:
            answer: dict[str, Any] = self._states.describe_execution(executionArn=execution)
            return answer if answer["status"] != "RUNNING" else None

        return wait_for(described, seconds=_LOOP_LIMIT_SECONDS, what=f"the end of {execution}")

    def skipped(self) -> list[str]:
        """Why there was no training, each time that the loop decided so."""
        return [event["detail"]["why"] for event in self.app.events("Retraining Skipped")]

    def holders(self) -> list[str]:
        """Who holds the lock, as the table has it."""
        dynamodb = self.app.cloud.client("dynamodb")
        (table,) = dynamodb.list_tables()["TableNames"]
        return [item["holder"]["S"] for item in dynamodb.scan(TableName=table)["Items"] if "holder" in item]

    def mails(self, address: str, *, about: str) -> list[Mail]:
        """Messages to an address that mention something, the oldest first; at least one, for which this waits."""
        folder = self.app.cloud.state_directory / "mail" / folder_name(address)

        def found() -> list[Mail]:
            mails = [_read(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
            return [mail for mail in mails if about in f"{mail.subject}\n{mail.text}"]

        return wait_for(found, what=f"mail to {address} about {about!r}")

    def approved(self) -> list[str]:
        """Versions that anybody approved."""
        listed = self.app.cloud.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.app.outputs["CarPricesModelPackageGroup"], ModelApprovalStatus="Approved"
        )
        return [summary["ModelPackageArn"] for summary in listed["ModelPackageSummaryList"]]

    def make_live(self, package: str) -> None:
        """Name a version as the live one, as a release does at its end."""
        self.app.cloud.client("ssm").put_parameter(
            Name=self.app.outputs["CarPricesChampionParameter"], Value=package, Type="String", Overwrite=True
        )

    def hear_of_new_data(self, *, heard: bool) -> None:
        """Whether new snapshots start the loop."""
        events = self.app.cloud.client("events")
        for rule in events.list_rules()["Rules"]:
            if "Snapshot Created" in rule.get("EventPattern", ""):
                (events.enable_rule if heard else events.disable_rule)(Name=rule["Name"])


def _read(message: bytes) -> Mail:
    parsed = email.message_from_bytes(message, policy=default)
    assert isinstance(parsed, EmailMessage)
    return Mail(str(parsed["Subject"]), str(parsed.get_content()))
