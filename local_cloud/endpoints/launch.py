"""From a model to a server that can be started: role, image, model data, command line, environment.

Everything is done with the rights of the model's role, as SageMaker does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.endpoints.book import Model
from local_cloud.endpoints.failures import image_not_accessible, role_not_assumable
from local_cloud.endpoints.model_archive import fetch_model
from local_cloud.endpoints.models import SESSION
from local_cloud.endpoints.variant_server import Launch
from local_cloud.errors import LocalCloudError
from local_cloud.images import ImageStore, LocalImage
from local_cloud.sagemaker.image_access import pull_refusal
from local_cloud.sagemaker.jobs.execution import PRINCIPAL
from local_cloud.sagemaker.jobs.failures import message
from local_cloud.sagemaker.jobs.instances import instance_size

# Shorter than AWS's default of 8 minutes: a server that takes a minute on one's own machine does not come any more.
DEFAULT_STARTUP_SECONDS = 60.0


@dataclass(frozen=True)
class VariantSpec:
    """One variant of a fleet, with the properties that an update may retain."""

    name: str
    model: Model
    instance_type: str
    instance_count: int
    weight: float
    startup_seconds: float = DEFAULT_STARTUP_SECONDS
    shadow: bool = False


class RoleClients:
    """Clients with the rights of one model's role."""

    def __init__(self, clients: Clients, *, role_arn: str, region: str) -> None:
        self._clients = clients
        self.role_arn = role_arn
        self.region = region

    def of(self, service: str, *, region: str | None = None) -> Any:
        """A client whose credentials are fresh: not to be kept. botocore's ClientError if SageMaker may not assume."""
        return self._clients.as_role(
            service,
            role_arn=self.role_arn,
            principal=PRINCIPAL,
            session_name=SESSION,
            region=region or self.region,
        )

    def environment(self) -> dict[str, str]:
        """What an AWS SDK in the container needs to act as the role (on AWS: the container's credentials endpoint)."""
        credentials = self._clients.role_credentials(
            self.role_arn, principal=PRINCIPAL, session_name=SESSION, region=self.region
        )
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self._clients.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            **credentials.environment(),
        }


def prepare(spec: VariantSpec, *, role: RoleClients, images: ImageStore, folder: Path) -> tuple[Launch, LocalImage]:
    """Lay out the server's folder and say how to start it. Raises LaunchFailure in AWS's words."""
    container = spec.model.container
    try:
        variables = role.environment()
    except ClientError as error:
        raise role_not_assumable(role.role_arn, reason=message(error)) from error
    image = _pull(spec, role=role, images=images)
    base, temporary = folder / "opt" / "ml", folder / "tmp"
    base.mkdir(parents=True)
    temporary.mkdir()
    if container.model_data_url:
        fetch_model(role.of("s3"), container.model_data_url, folder=base / "model")
    launch = Launch(
        arguments=image.host_command([*image.entrypoint, "serve"]),
        environment=_environment(container.environment, variables, image, base=base, temporary=temporary),
        working_directory=image.working_directory,
        memory_bytes=instance_size(spec.instance_type).memory_bytes,
        startup_seconds=spec.startup_seconds,
    )
    return launch, image


def _pull(spec: VariantSpec, *, role: RoleClients, images: ImageStore) -> LocalImage:
    """The image, if the role may pull it from ECR."""
    uri = spec.model.container.image
    if refusal := pull_refusal(uri, ecr=lambda region: role.of("ecr", region=region)):
        raise image_not_accessible(spec.name, reason=message(refusal)) from refusal
    try:
        image = images.resolve(uri)
    except LocalCloudError as error:
        raise image_not_accessible(spec.name, reason=str(error)) from error
    if not image.entrypoint:
        raise image_not_accessible(spec.name, reason=f"{uri} has no ENTRYPOINT that could be started with `serve`")
    return image


def _environment(
    given: Mapping[str, str], variables: Mapping[str, str], image: LocalImage, *, base: Path, temporary: Path
) -> dict[str, str]:
    """The image's variables, then the model's, then what SageMaker sets, which a model cannot change."""
    defaults = {"PATH": f"{image.python.parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    own = {"ML_BASE_DIR": str(base), "TMPDIR": str(temporary), "HOME": str(temporary)}
    return {**defaults, **image.environment, **given, **own, **variables}
