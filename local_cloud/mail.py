"""E-mails of SNS as files: one folder for each address, one readable .eml for each message.

Nothing is sent. On AWS an address must confirm its subscription first; here the confirmation message says that it was
confirmed by itself. https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

import hashlib
import itertools
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from local_cloud.clock import Clock

PROTOCOLS = ("email", "email-json")
_FOLDER = "mail"
_SENDER = "no-reply@sns.amazonaws.com"
_DEFAULT_SUBJECT = "AWS Notification Message"
_READABLE = SMTP.clone(cte_type="8bit", linesep="\n")
_LONGEST_SUBJECT = 60
_LONGEST_ADDRESS = 100


@dataclass(frozen=True)
class Notification:
    """One message of a topic to one address; `sender` is the topic's display name."""

    topic_arn: str
    subscription_arn: str
    address: str
    message_id: str
    message: str
    subject: str | None = None
    sender: str = ""
    as_json: bool = False


class Mailboxes:
    """All mail of one local cloud; `directory` is the server's state directory. Thread-safe."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._root = directory / _FOLDER
        self._clock = clock
        self._lock = threading.Lock()

    def confirm(self, *, address: str, topic_arn: str, subscription_arn: str) -> Path:
        """Write the message with which a subscription begins."""
        text = (
            f"You have chosen to subscribe to the topic:\n{topic_arn}\n\n"
            "On AWS, a link in this message confirms the subscription. The local cloud has confirmed it by itself:\n"
            f"{subscription_arn}\n"
        )
        return self._write(address, "AWS Notification - Subscription Confirmation", text, sender="")

    def deliver(self, notification: Notification) -> Path:
        """Write one message of a topic, as plain text or (email-json) as SNS's JSON."""
        subject = notification.subject or _DEFAULT_SUBJECT
        if notification.as_json:
            return self._write(notification.address, subject, self._json(notification), sender=notification.sender)
        text = (
            f"{notification.message}\n\n--\n"
            f"Topic: {notification.topic_arn}\nSubscription: {notification.subscription_arn}\n"
        )
        return self._write(notification.address, subject, text, sender=notification.sender)

    def status(self) -> list[dict[str, Any]]:
        """Address folders with the number of their messages and the newest file, for the status page."""
        folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        return [
            {"address": folder.name, "messages": len(files), "newest": str(files[-1])}
            for folder in folders
            if (files := sorted(folder.glob("*.eml")))
        ]

    def reset(self) -> None:
        """Delete all mail."""
        with self._lock:
            shutil.rmtree(self._root, ignore_errors=True)

    def _json(self, notification: Notification) -> str:
        members = {
            "Type": "Notification",
            "MessageId": notification.message_id,
            "TopicArn": notification.topic_arn,
            "Subject": notification.subject,
            "Message": notification.message,
            "Timestamp": self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return json.dumps({name: value for name, value in members.items() if value is not None}, indent=2) + "\n"

    def _write(self, address: str, subject: str, text: str, *, sender: str) -> Path:
        now, line = self._clock.now(), " ".join(subject.split())
        mail = EmailMessage(policy=_READABLE)
        mail["From"] = f'"{_one_line(sender)}" <{_SENDER}>' if sender else _SENDER
        # The address is whatever was subscribed, so it need not be one that a mail program would take.
        mail["To"] = _one_line(address)
        mail["Subject"] = line
        mail["Date"] = format_datetime(now)
        mail.set_content(text, cte="8bit")
        folder = self._root / folder_name(address)
        stem = f"{now:%Y%m%dT%H%M%S.%fZ}-{_slug(line, _LONGEST_SUBJECT)}"
        with self._lock:
            folder.mkdir(parents=True, exist_ok=True)
            path = next(path for path in _names(folder, stem) if not path.exists())
            path.write_bytes(mail.as_bytes())
        return path


def folder_name(address: str) -> str:
    """A folder name for an address: never a path, never hidden, and different for different addresses."""
    name = _slug(address, _LONGEST_ADDRESS)
    if name == address:
        return name
    return f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def _names(folder: Path, stem: str) -> Iterator[Path]:
    yield folder / f"{stem}.eml"
    yield from (folder / f"{stem}-{number}.eml" for number in itertools.count(2))


def _slug(text: str, limit: int) -> str:
    """Letters, digits and a few signs of `text`; it does not begin with a dot."""
    return re.sub(r"^\.+|[^A-Za-z0-9@._+-]+", "_", text)[:limit] or "_"


def _one_line(text: str) -> str:
    return re.sub(r'[\x00-\x1f\x7f"<>\\]+', " ", text).strip()
