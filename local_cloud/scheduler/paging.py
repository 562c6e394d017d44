"""Pages of EventBridge Scheduler's lists."""

from local_cloud.paging import Pager

page = Pager(
    marker="NextToken",
    limit="MaxResults",
    size=100,
    code="ValidationException",
    message="The NextToken is invalid or no longer valid: start again without it.",
)
