"""Messages to the people behind an SNS topic. Must not know what they are about.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from dataclasses import dataclass
from typing import Any

# SNS takes a subject of less than 100 ASCII characters.
_SUBJECT_CHARACTERS = 99


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail; whatever the subject is, it is made to fit."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class MailTopic:
    """The topic `arn`. `sns` is a boto3 client."""

    sns: Any
    arn: str

    def send(self, message: Message) -> None:
        """Publish `message` to everybody who has subscribed."""
        subject = message.subject.encode("ascii", "replace").decode()[:_SUBJECT_CHARACTERS]
        self.sns.publish(TopicArn=self.arn, Subject=subject, Message=message.text)
