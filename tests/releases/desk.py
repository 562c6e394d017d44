"""A deployed stage as the command line tool sees it; behind the function's name works the real starter."""

import io
import json
from typing import Any

from releases.commands import Commands
from releases.names import find_names
from tests.lambdas.fake_client import FakeClient, client_error
from tests.lambdas.release_world import APPROVER, BUCKET, GROUP, PARAMETER, PIPELINE, ReleaseWorld

OUTPUTS = {
    "CarsPipelineName": "cars-dev",
    "CarsModelPackageGroup": GROUP,
    "ArtifactBucketName": BUCKET,
    "CarsReleasePipelineName": PIPELINE,
    "CarsStartReleaseFunctionName": "starter",
    "CarsChampionParameter": PARAMETER,
    "CarsStagingEndpointName": "cars-dev-staging",
    "CarsProductionEndpointName": "cars-dev-production",
}


def cloudformation(outputs: dict[str, str], stack: str = "Cd4ml-dev-Release") -> FakeClient:
    """CloudFormation with one stack."""
    shown = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return FakeClient(
        "cloudformation", {"describe_stacks": lambda: {"Stacks": [{"StackName": stack, "Outputs": shown}]}}
    )


class Desk:
    """Where a person types commands; `lines` is what they read, `served` what the endpoints serve."""

    def __init__(self, world: ReleaseWorld) -> None:
        self.world = world
        self.lines: list[str] = []
        self.served: dict[str, str] = {}
        self.state: list[dict[str, Any]] = []
        self.delivers = True
        self.function_error: str | None = None
        self.sagemaker = FakeClient("sagemaker", self._registry())
        codepipeline = world.pipeline.client()
        codepipeline._operations["get_pipeline_state"] = lambda **_: {"stageStates": self.state}
        self._clients: dict[str, Any] = {
            "s3": world.s3,
            "ssm": world.ssm,
            "sagemaker": self.sagemaker,
            "codepipeline": codepipeline,
            "lambda": FakeClient("lambda", {"invoke": self._invoke}),
            "sts": FakeClient("sts", {"get_caller_identity": lambda: {"Arn": APPROVER}}),
        }

    @property
    def commands(self) -> Commands:
        """The commands of this stage."""
        names = find_names(cloudformation(OUTPUTS), stage="dev")
        return Commands(names=names, client=self._clients.__getitem__, show=self.lines.append, poll_seconds=0)

    def _registry(self) -> dict[str, Any]:
        return {
            "describe_model_package": self.world.sagemaker.describe_model_package,
            "list_model_packages": lambda **_: {
                "ModelPackageSummaryList": [{"ModelPackageArn": name} for name in reversed(self.world.packages)]
            },
            "update_model_package": self._update,
            "describe_endpoint": self._endpoint,
            "describe_endpoint_config": lambda EndpointConfigName: {  # noqa: N803
                "ProductionVariants": [{"VariantName": "champion", "ModelName": EndpointConfigName}]
            },
            "describe_model": lambda ModelName: {  # noqa: N803
                "PrimaryContainer": {"ModelPackageName": self.served[ModelName]}
            },
        }

    def _endpoint(self, *, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if EndpointName not in self.served:
            raise client_error("ValidationException", "could not find endpoint")
        return {"EndpointConfigName": EndpointName}

    def _update(self, *, ModelPackageArn: str, **changes: Any) -> dict[str, Any]:  # noqa: N803
        package = self.world.packages[ModelPackageArn]
        package["CustomerMetadataProperties"] |= changes.pop("CustomerMetadataProperties", {})
        package |= changes
        if "ModelApprovalStatus" in changes and self.delivers:
            self.world.approve(package["ModelPackageVersion"], moment="2026-03-05T00:00:00Z")
        return {"ModelPackageArn": ModelPackageArn}

    def _invoke(self, *, FunctionName: str, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "starter"
        if self.function_error:
            answer: dict[str, Any] = {"errorMessage": self.function_error}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(answer).encode())}
        return {"Payload": io.BytesIO(json.dumps(self.world.decide(json.loads(Payload))).encode())}
