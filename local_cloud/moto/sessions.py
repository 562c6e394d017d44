"""Sessions of assumed roles: whose access key signs a request.

One patch: every role that `STSBackend.assume_role` gives credentials for is remembered. That the role exists and
trusts the caller was decided before moto was asked (see `requests.py`).
"""

from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.iam import models as iam_models
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend

from local_cloud.service import RequestContext

_original_assume_role = STSBackend.assume_role
_assumed_roles: dict[str, tuple[str, str]] = {}


def install() -> None:
    """Remember assumed roles."""
    STSBackend.assume_role = _remember_assumed_role
    iam_models.get_account_id_from = _account_of


def context(response: BaseResponse) -> RequestContext:
    """Who calls, and where."""
    role_arn, session_arn = _assumed_roles.get(response.get_access_key(), (None, None))
    return RequestContext(response.current_account, response.region, role_arn, session_arn)


def reset() -> None:
    """Forget all sessions: their access keys are worth nothing any more."""
    _assumed_roles.clear()


def _account_of(access_key: str) -> str:
    """moto looks into all partitions of AWS, which builds eight IAM backends at the first request after a reset."""
    for account_id, account in list(iam_backends.items()):
        if access_key in account["aws"].access_keys:
            return str(account_id)
    return str(DEFAULT_ACCOUNT_ID)


def _remember_assumed_role(self: STSBackend, **kwargs: Any) -> Any:
    role = _original_assume_role(self, **kwargs)
    _assumed_roles[role.access_key_id] = (role.role_arn, role.arn)
    return role
