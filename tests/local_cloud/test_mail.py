"""E-mails of SNS as files: readable, complete, and never outside their folder."""

import email
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from local_cloud.cli.main import main
from local_cloud.clock import Clock
from local_cloud.mail import Mailboxes, Notification, folder_name
from tests.running_cloud import RunningCloud

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


class StoppedClock(Clock):
    """Always the same moment."""

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def _notification(address: str = "ops@example.com", message: str = "Drift", **members: str) -> Notification:
    return Notification(TOPIC, f"{TOPIC}:1", address, "id-1", message, **members)  # type: ignore[arg-type]


def _read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        message = email.message_from_binary_file(file, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_is_a_readable_file_of_its_address(tmp_path: Path) -> None:
    """Any mail program reads it, and so does a person: text stays as it was written."""
    boxes = Mailboxes(tmp_path, StoppedClock())
    long = "länger " * 300
    path = boxes.deliver(_notification(message=f"Price drift: 12 %\n{long}", subject="Drift: à 1/2", sender="CD4ML"))
    assert path.parent == tmp_path / "mail" / "ops@example.com"
    assert path.name == "20260102T030405.000678Z-Drift_1_2.eml"
    mail = _read(path)
    assert (mail["To"], mail["Subject"], mail["From"]) == (
        "ops@example.com",
        "Drift: à 1/2",
        "CD4ML <no-reply@sns.amazonaws.com>",
    )
    assert f"Price drift: 12 %\n{long}" in path.read_text()
    assert TOPIC in mail.get_content()


def test_messages_of_the_same_moment_do_not_replace_each_other(tmp_path: Path) -> None:
    """The second gets a number; the status counts both and names the newest."""
    boxes = Mailboxes(tmp_path, StoppedClock())
    first, second = (boxes.deliver(_notification(message=text)) for text in ("one", "two"))
    assert first != second
    (status,) = boxes.status()
    assert (status["address"], status["messages"]) == ("ops@example.com", 2)
    assert status["newest"] in {str(first), str(second)}
    boxes.reset()
    assert boxes.status() == []


@pytest.mark.parametrize(
    "address", ["../../etc/x", "..", "/etc/passwd", ".hidden", "a/b@c", "a\x00b", "", "ü@b", "x" * 300]
)
def test_no_address_leads_out_of_the_mail_folder(tmp_path: Path, address: str) -> None:
    """Whatever was subscribed, its folder lies directly in mail/, and header lines cannot be smuggled in."""
    path = Mailboxes(tmp_path, StoppedClock()).deliver(
        _notification(address=f"{address}", subject="a\r\nBcc: b@c", sender='x"\nBcc: b')
    )
    assert path.resolve().parent.parent == (tmp_path / "mail").resolve()
    assert not path.parent.name.startswith(".")
    assert _read(path)["Bcc"] is None


def test_different_addresses_have_different_folders() -> None:
    """Addresses that differ only in signs that a folder cannot have stay apart."""
    assert len({folder_name(address) for address in ("a/b@c", "a_b@c", "a:b@c", "A_b@c")}) == 4


def test_what_a_topic_publishes_arrives_once_confirmed_and_filtered(
    cloud: RunningCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """A subscription is confirmed by itself; filter policies and e-mail's own text count; status tells where."""
    sns, folder = cloud.client("sns"), cloud.state_directory / "mail"
    topic = sns.create_topic(Name="alerts", Attributes={"DisplayName": "CD4ML"})["TopicArn"]
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    for _ in range(2):
        sns.subscribe(TopicArn=topic, Protocol="email-json", Endpoint="json@example.com")
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue='{"severity": ["high"]}'
    )
    high = {"severity": {"DataType": "String", "StringValue": "high"}}
    texts = json.dumps({"default": "short", "email": "long text for people"})
    sns.publish(TopicArn=topic, Message=texts, MessageStructure="json", Subject="Drift", MessageAttributes=high)
    sns.publish(TopicArn=topic, Message="nobody is interested")

    mails = [_read(path) for path in sorted((folder / "ops@example.com").glob("*.eml"))]
    assert [mail["Subject"] for mail in mails] == ["AWS Notification - Subscription Confirmation", "Drift"]
    assert subscription in mails[0].get_content()
    assert mails[1].get_content().startswith("long text for people\n")
    as_json = [_read(path) for path in sorted((folder / "json@example.com").glob("*.eml"))]
    assert [mail["Subject"] for mail in as_json][1:] == ["Drift", "AWS Notification Message"]
    assert json.loads(as_json[1].get_content())["Message"] == "short"

    (newest,) = [entry["newest"] for entry in cloud.page("status")["mail"] if entry["address"] == "ops@example.com"]
    assert newest == str(sorted((folder / "ops@example.com").glob("*.eml"))[-1])
    assert main(["status", "--state-dir", str(cloud.state_directory)]) == 0
    assert f"ops@example.com   2  {newest}" in capsys.readouterr().out
    cloud.reset()
    assert not folder.exists()
