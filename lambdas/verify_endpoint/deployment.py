"""Whether the endpoint serves what was deployed: the requested configuration, the released version, nothing else.

SageMaker rolls a failed update back on its own, and the endpoint is InService again on its old configuration with an
empty FailureReason; only the name of the configuration tells. Must not invoke the endpoint.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.verify_endpoint.errors import VerificationError

# Autoscaling and patches of the platform make an endpoint that serves "Updating" or "SystemUpdating".
_PASSING = frozenset({"Updating", "SystemUpdating"})
_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was to be deployed: the stack that did it, its endpoint and the version."""

    stack: str
    endpoint: str
    package_arn: str


@dataclass(frozen=True, slots=True)
class DeploymentCheck:
    """The check; both clients are boto3's. `remaining` gives the seconds that are left for it."""

    cloudformation: Any
    sagemaker: Any
    remaining: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, deployment: Deployment) -> str:
        """Name of the live endpoint configuration; VerificationError if it is not what was deployed."""
        requested = self._requested(deployment)
        endpoint = self._settled(deployment.endpoint)
        live = str(endpoint["EndpointConfigName"])
        if live != requested:
            raise VerificationError(
                f"SageMaker rolled back {deployment.endpoint}: it serves {live}, not {requested}, which the stack "
                f"{deployment.stack} asked for{_reason(endpoint)}. The version before is still live; look at the "
                "endpoint's alarms and at the log of the new variant"
            )
        if endpoint["EndpointStatus"] != "InService":
            raise VerificationError(
                f"{deployment.endpoint} is {endpoint['EndpointStatus']}, not InService{_reason(endpoint)}"
            )
        self._check_variants(live, deployment)
        return live

    def _requested(self, deployment: Deployment) -> str:
        stacks = self.cloudformation.describe_stacks(StackName=deployment.stack)["Stacks"]
        outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in stacks[0].get("Outputs", ())}
        missing = [name for name in ("EndpointName", "EndpointConfigName") if name not in outputs]
        if missing:
            raise VerificationError(f"the stack {deployment.stack} has no output {', '.join(missing)}")
        # Either output may be an ARN, which ends in the name.
        endpoint = outputs["EndpointName"].rsplit("/", 1)[-1]
        if endpoint != deployment.endpoint:
            raise VerificationError(f"the stack {deployment.stack} deploys {endpoint}, not {deployment.endpoint}")
        return outputs["EndpointConfigName"].rsplit("/", 1)[-1]

    def _settled(self, name: str) -> Mapping[str, Any]:
        """The endpoint once no update of it is in progress, or when the time is over."""
        while True:
            endpoint: Mapping[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            if endpoint["EndpointStatus"] not in _PASSING or self.remaining() <= _POLL_SECONDS:
                return endpoint
            self.sleep(_POLL_SECONDS)  # SageMaker offers no way to wait for the end of an update

    def _check_variants(self, config: str, deployment: Deployment) -> None:
        """Every variant that answers callers has the released version; a shadow variant may have another."""
        described = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)
        for variant in described["ProductionVariants"]:
            model = self.sagemaker.describe_model(ModelName=variant["ModelName"])
            containers = [
                *model.get("Containers", ()),
                *([model["PrimaryContainer"]] if model.get("PrimaryContainer") else ()),
            ]
            served = {str(container.get("ModelPackageName", "no registered version")) for container in containers}
            if served != {deployment.package_arn}:
                raise VerificationError(
                    f"variant {variant['VariantName']} of {deployment.endpoint} serves "
                    f"{', '.join(sorted(served)) or 'nothing'}, not {deployment.package_arn}"
                )


def _reason(endpoint: Mapping[str, Any]) -> str:
    return f" ({endpoint['FailureReason']})" if endpoint.get("FailureReason") else ""
