"""Models: Create, Describe, List, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.endpoints.book import Container, HostingBook, Model, check_new
from local_cloud.endpoints.listing import list_resources
from local_cloud.errors import LocalCloudError
from local_cloud.images import ImageStore
from local_cloud.sagemaker.jobs.execution import PRINCIPAL
from local_cloud.sagemaker.jobs.failures import denied, message
from local_cloud.sagemaker.refusals import refuse, refuse_value
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

SESSION = "SageMaker"
_REFUSED = (
    "InferenceExecutionConfig",
    "PrimaryContainer.ImageConfig",
    "PrimaryContainer.ModelDataSource.S3DataSource.ModelAccessConfig",
    "PrimaryContainer.ModelDataSource.S3DataSource.HubAccessConfig",
    "PrimaryContainer.ModelDataSource.S3DataSource.ManifestS3Uri",
    "PrimaryContainer.AdditionalModelDataSources",
    "PrimaryContainer.InferenceSpecificationName",
    "PrimaryContainer.MultiModelConfig",
    "PrimaryContainer.ContainerMetricsConfig",
)
_NOTE = "One container; a model package must be Approved; a VPC and network isolation are recorded only."


class Models:
    """The API of models."""

    def __init__(
        self, books: Partitioned[HostingBook], *, clients: Clients, clock: Clock, images: ImageStore, tags: Tags
    ) -> None:
        self._books = books
        self._clients = clients
        self._clock = clock
        self._images = images
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateModel": Operation(self._create, note=_NOTE),
            "DescribeModel": Operation(self._describe),
            "ListModels": Operation(self._list),
            "DeleteModel": Operation(self._delete),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        resource_arn = check_new(book.models, context, ("model", "model"), params["ModelName"])
        given = _only_container(params)
        if "ExecutionRoleArn" not in params:
            raise invalid("ExecutionRoleArn is required.")
        role_arn = params["ExecutionRoleArn"]
        container = self._container(context, given)
        self._check_image(container.image)
        if container.model_data_url:
            self._check_model_data(container.model_data_url, role_arn=role_arn, region=context.region)
        request = {name: value for name, value in params.items() if name != "Tags"}
        model = Model(params["ModelName"], resource_arn, self._clock.now(), role_arn, container, request)
        with book.lock:
            check_new(book.models, context, ("model", "model"), model.name)
            self._tags.put(resource_arn, params.get("Tags"))
            book.models[model.name.lower()] = model
        return {"ModelArn": resource_arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        model = self._books.of(context).model(context, params["ModelName"])
        return {"EnableNetworkIsolation": False, **model.request, "CreationTime": model.created, "ModelArn": model.arn}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        models, more = list_resources(self._books.of(context).models, params)
        summaries = [
            {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created} for model in models
        ]
        return {"Models": summaries, **more}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            model = book.model(context, params["ModelName"])
            del book.models[model.name.lower()]
        self._tags.drop(model.arn)
        return {}

    def _container(self, context: RequestContext, given: Mapping[str, Any]) -> Container:
        """The container as it will run: a model package is looked up now, as a model does not change later."""
        environment = given.get("Environment", {})
        if "ModelPackageName" not in given:
            if "Image" not in given:
                raise invalid("A container needs Image or ModelPackageName.")
            return Container(given["Image"], _model_data(given), environment)
        if "Image" in given or _model_data(given):
            raise invalid("ModelPackageName excludes Image, ModelDataUrl and ModelDataSource.")
        package = self._package(context, given["ModelPackageName"])
        packaged = package["InferenceSpecification"]["Containers"]
        if len(packaged) != 1:
            raise invalid(f"{package['ModelPackageArn']} has {len(packaged)} containers; one is emulated here.")
        variables = {**packaged[0].get("Environment", {}), **environment}
        return Container(packaged[0]["Image"], _model_data(packaged[0]), variables)

    def _package(self, context: RequestContext, name: str) -> Mapping[str, Any]:
        sagemaker = self._clients.system("sagemaker", account=context.account, region=context.region)
        try:
            package: Mapping[str, Any] = sagemaker.describe_model_package(ModelPackageName=name)
        except ClientError as error:
            raise invalid(f"Could not find model package {name}: {message(error)}") from error
        status = package.get("ModelApprovalStatus", "Approved")
        if status != "Approved":
            raise invalid(
                f"Model package {package['ModelPackageArn']} is {status}; only an Approved version can be deployed."
            )
        if "InferenceSpecification" not in package:
            raise invalid(f"Model package {package['ModelPackageArn']} has no InferenceSpecification.")
        return package

    def _check_image(self, image: str) -> None:
        try:
            self._images.resolve(image)
        except LocalCloudError as error:
            raise invalid(f"Requested image {image} not found: {error}") from error

    def _check_model_data(self, url: str, *, role_arn: str, region: str) -> None:
        """The role must be SageMaker's to assume and must be able to read the archive: CreateModel tries both."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        try:
            s3 = self._clients.as_role(
                "s3", role_arn=role_arn, principal=PRINCIPAL, session_name=SESSION, region=region
            )
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if not denied(error):
                raise invalid(f"Could not find model data at {url}.") from error
            raise invalid(
                f'Could not access model data at {url}. Please ensure that the role "{role_arn}" exists and that its '
                'trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                f'"{PRINCIPAL}". Also ensure that the role has "s3:GetObject" permissions and that the object is '
                f"located in {region}: {message(error)}"
            ) from error


def _only_container(params: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = params.get("Containers", [])
    if ("PrimaryContainer" in params) == bool(containers):
        raise invalid("Give either PrimaryContainer or Containers.")
    if len(containers) > 1:
        raise invalid(f"Containers with {len(containers)} items (an inference pipeline) is not emulated; use one.")
    given: Mapping[str, Any] = params.get("PrimaryContainer") or containers[0]
    refuse({**params, "PrimaryContainer": given}, _REFUSED)
    refuse_value({"PrimaryContainer": given}, "PrimaryContainer.Mode", "MultiModel", instead="SingleModel")
    return given


def _model_data(container: Mapping[str, Any]) -> str | None:
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        url = container.get("ModelDataUrl") or None
        return str(url) if url else None
    if (source["S3DataType"], source["CompressionType"]) != ("S3Object", "Gzip"):
        raise invalid("ModelDataSource other than an S3Object with Gzip is not emulated; use a model.tar.gz.")
    return str(source["S3Uri"])
