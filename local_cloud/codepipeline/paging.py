"""Pages of CodePipeline's lists."""

from local_cloud.paging import Pager

page = Pager(
    marker="nextToken",
    limit="maxResults",
    size=100,
    code="InvalidNextTokenException",
    message="The nextToken is not one of this operation; leave it out.",
)
