"""An AWS API call as the evaluator sees it, and what the service tables are written with.

The module knows no service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local_cloud.iam.context import EMPTY_CONTEXT, RequestContext


@dataclass(frozen=True)
class ApiCall:
    """One API call.

    `service` is the SigV4 signing name ("s3", "monitoring", "states"), `operation` the API's operation name
    ("ListObjectsV2"), `parameters` the request in botocore's parsed form. `account` owns the resources that are
    named without an account.
    """

    service: str
    operation: str
    parameters: Mapping[str, object]
    region: str
    account: str
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """An ARN in the call's partition; region and account are the call's unless given ("" leaves them empty)."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"

    def text(self, *names: str) -> str | None:
        """The first of the named parameters that is a non-empty string."""
        for name in names:
            value = self.parameters.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of a list parameter."""
        return tuple(item for item in self._items(name) if isinstance(item, str))

    def structures(self, name: str) -> tuple[Mapping[str, object], ...]:
        """The structures of a list parameter."""
        return tuple(item for item in self._items(name) if isinstance(item, Mapping))

    def structure(self, name: str) -> Mapping[str, object]:
        """A structure parameter, empty when it is absent."""
        value = self.parameters.get(name)
        return value if isinstance(value, Mapping) else {}

    def _items(self, name: str) -> Iterable[object]:
        value = self.parameters.get(name)
        return value if isinstance(value, list | tuple) else ()


@dataclass(frozen=True)
class Permission:
    """An action on a resource that a call needs; `context` holds condition keys of this permission only."""

    action: str
    resource: str
    context: RequestContext = EMPTY_CONTEXT


def permissions(action: str, resources: Iterable[str]) -> tuple[Permission, ...]:
    """One action on several resources; on "*" when there are none."""
    return tuple(Permission(action, resource) for resource in dict.fromkeys(resources)) or (Permission(action, "*"),)
