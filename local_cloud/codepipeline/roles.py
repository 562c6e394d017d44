"""With whose rights an action acts: its own role, which the pipeline's role assumes, or the pipeline's role itself.

https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html
"""

from dataclasses import dataclass
from typing import Any

from local_cloud.clients import Clients, Credentials

PRINCIPAL = "codepipeline.amazonaws.com"
_SESSION = "AWSCodePipeline"


@dataclass(frozen=True)
class ActionRole:
    """The role of one action in one region."""

    clients: Clients
    pipeline_role: str
    action_role: str | None
    region: str

    def client(self, service: str) -> Any:
        """A client with the role's rights; raises ClientError (AccessDenied) if a role may not be assumed."""
        return self.clients.as_role(
            service,
            role_arn=self.action_role or self.pipeline_role,
            principal=PRINCIPAL,
            session_name=_SESSION,
            region=self.region,
            through=self._through,
        )

    def credentials(self) -> Credentials:
        """Temporary credentials of the role, for functions that read and write artifacts."""
        return self.clients.role_credentials(
            self.action_role or self.pipeline_role,
            principal=PRINCIPAL,
            session_name=_SESSION,
            region=self.region,
            through=self._through,
        )

    @property
    def _through(self) -> str | None:
        return self.pipeline_role if self.action_role else None
