"""What moto knows of SQS queues and CloudWatch measures of them. Nothing is patched."""

from collections.abc import Mapping

from moto.sqs.models import sqs_backends


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
