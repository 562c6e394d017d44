"""boto3 clients through which the engines use the local cloud's own services, over its own HTTP endpoint.

Two kinds of caller exist, as on AWS: the *system* (what AWS does behind the scenes, never refused) and a *role*
(temporary credentials of an execution role; every call is authorized against the role's policies).
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, Unpack

import boto3
from botocore.config import Config

from local_cloud.clock import Clock

SYSTEM_ACCESS_KEY = "LOCALCLOUDSYSTEM0001"
_CONFIG = Config(
    retries={"max_attempts": 1, "mode": "standard"},
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=300,
    max_pool_connections=32,
)
_RENEW_BEFORE_EXPIRY = timedelta(minutes=5)


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of an assumed role (or the system's fixed ones, which have no session token)."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expiration: datetime | None

    def environment(self) -> dict[str, str]:
        """The variables through which an AWS SDK in a child process picks these credentials up."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }
        return variables | ({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {})


_SYSTEM = Credentials(SYSTEM_ACCESS_KEY, "not-a-secret", None, None)


class RoleSession(TypedDict):
    """How a role is assumed.

    `principal` is the service that assumes it (`sagemaker.amazonaws.com`); the role's trust policy must name it, or
    botocore's ClientError with AccessDenied is raised, as on AWS. With `through`, the service assumes that role, and
    that role then assumes `role_arn` (role chaining). `source_arn` is the resource for which the service acts: the
    trust policy sees it as aws:SourceArn.
    """

    role_arn: str
    principal: str
    session_name: str
    region: str
    through: NotRequired[str | None]
    source_arn: NotRequired[str | None]


class Clients:
    """Cached boto3 clients for one running server."""

    def __init__(self, endpoint_url: str, clock: Clock) -> None:
        self.endpoint_url = endpoint_url
        self._clock = clock
        self._lock = threading.RLock()
        # One session for all clients: each session would read the service models anew.
        self._session = boto3.session.Session()
        self._clients: dict[tuple[str, ...], Any] = {}
        self._roles: dict[tuple[str, ...], Credentials] = {}

    def system(self, service: str, *, account: str, region: str) -> Any:
        """A client that acts as AWS itself in `account`."""
        return self._client(service, region=region, account=account, credentials=_SYSTEM)

    def as_role(self, service: str, **session: Unpack[RoleSession]) -> Any:
        """A client with the role's temporary credentials."""
        credentials = self.role_credentials(**session)
        account = session["role_arn"].split(":")[4]
        return self._client(service, region=session["region"], account=account, credentials=credentials)

    def role_credentials(
        self,
        role_arn: str,
        *,
        principal: str,
        session_name: str,
        region: str,
        through: str | None = None,
        source_arn: str | None = None,
    ) -> Credentials:
        """Temporary credentials of a role, renewed five minutes before they expire; arguments as in RoleSession."""
        key = (role_arn, principal, session_name, through or "", source_arn or "")
        with self._lock:
            known = self._roles.get(key)
            if known and known.expiration and known.expiration - self._clock.now() > _RENEW_BEFORE_EXPIRY:
                return known
            if through:
                sts = self.as_role(
                    "sts", role_arn=through, principal=principal, session_name=session_name, region=region
                )
            else:
                account = role_arn.split(":")[4]
                caller = (principal, source_arn or "")
                sts = self._client("sts", region=region, account=account, credentials=_SYSTEM, caller=caller)
            answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])["Credentials"]
            self._roles[key] = Credentials(
                answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
            )
            return self._roles[key]

    def forget_roles(self) -> None:
        """Drop cached role credentials: after a reset the server does not know them any more."""
        with self._lock:
            self._roles.clear()
            self._clients = {key: client for key, client in self._clients.items() if SYSTEM_ACCESS_KEY in key}

    def _client(
        self,
        service: str,
        *,
        region: str,
        account: str,
        credentials: Credentials,
        caller: tuple[str, str] = ("", ""),
    ) -> Any:
        """`caller` is the service that assumes a role, and the resource for which it does."""
        key = (service, region, account, credentials.access_key_id, *caller)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region, account, credentials, caller)
            return self._clients[key]

    def _make(self, service: str, region: str, account: str, credentials: Credentials, caller: tuple[str, str]) -> Any:
        client = self._session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            config=_CONFIG,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )

        def name_the_caller(request: Any, **_: Any) -> None:
            request.headers.add_header("x-moto-account-id", account)
            names = ("x-local-cloud-principal", "x-local-cloud-source-arn")
            for name, value in zip(names, caller, strict=True):
                if value:
                    request.headers.add_header(name, value)

        client.meta.events.register("before-sign.*.*", name_the_caller)
        return client
