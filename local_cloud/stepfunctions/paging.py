"""Pages of Step Functions' lists."""

from local_cloud.paging import Pager

page = Pager(
    marker="nextToken",
    limit="maxResults",
    size=100,
    code="InvalidToken",
    message="Invalid Token: the nextToken is not one of this operation's.",
)
