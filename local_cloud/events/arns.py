"""The parts of an ARN, and the URL of the queue that one names."""

from dataclasses import dataclass

from local_cloud.errors import LocalCloudError


class ArnError(LocalCloudError):
    """A text that is no ARN."""


@dataclass(frozen=True)
class Arn:
    """`arn:partition:service:region:account:resource`; region and account may be empty."""

    text: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def name(self) -> str:
        """The last part of the resource: the name of a rule, state machine or pipeline."""
        return self.resource.replace(":", "/").rpartition("/")[2]


def parse_arn(text: str) -> Arn:
    """Take an ARN apart; raises ArnError."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise ArnError(f"{text!r} is no ARN; write arn:partition:service:region:account:resource")
    return Arn(text=text, service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def queue_url(endpoint_url: str, queue: Arn) -> str:
    """The URL of a queue, without the GetQueueUrl call for which a role may lack the right."""
    return f"{endpoint_url}/{queue.account}/{queue.resource}"
