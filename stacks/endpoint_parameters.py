"""What a release passes to the endpoint's template.

Must not have a default for what a release has to say: only the shadow is optional. An environment without monitoring
says so, with the baseline `none`.
"""

from dataclasses import dataclass

from aws_cdk import CfnParameter, Stack

NO_MODEL = NO_BASELINE = "none"
_PACKAGE_ARN = r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/[^/]+/\d+"


@dataclass(frozen=True, kw_only=True)
class MonitoringParameters:
    """What SageMaker's own monitoring schedules need; `baseline_uri` is NO_BASELINE where there are to be none."""

    baseline_uri: str
    role_arn: str


class EndpointParameters:
    """The parameters of the template of `stack`, as values to build with."""

    def __init__(self, stack: Stack, *, with_shadow: bool, with_schedules: bool) -> None:
        self._stack = stack
        self.model_package_arn = self._text("ModelPackageArn", "The approved version", pattern=_PACKAGE_ARN)
        self.endpoint_name = self._text("EndpointName", "Name of the endpoint, the same for every version")
        self.execution_role_arn = self._text("ExecutionRoleArn", "What the model server may do")
        self.capture_uri = self._text("CaptureUri", "S3 URI below which captured requests are kept")
        self.encryption_key_arn = self._text("EncryptionKeyArn", "KMS key of captured requests and of volumes")
        self.alarm_topic_arn = self._text("AlarmTopicArn", "Topic that hears of alarms")
        self.instance_count = self._number("InstanceCount", "Machines at the start, and the least that scaling leaves")
        self.maximum_instance_count = self._number("MaximumInstanceCount", "The most that scaling starts")
        self.shadow_model_package_arn = self._shadow() if with_shadow else None
        self.monitoring = self._monitoring() if with_schedules else None

    def _monitoring(self) -> "MonitoringParameters":
        return MonitoringParameters(
            baseline_uri=self._text(
                "BaselineUri", "S3 prefix of the version's baseline", pattern=f"{NO_BASELINE}|s3://.+/"
            ),
            role_arn=self._text("MonitoringRoleArn", "What the jobs of the monitoring schedules may do"),
        )

    def _shadow(self) -> str:
        return CfnParameter(
            self._stack,
            "ShadowModelPackageArn",
            description="A version that gets a copy of the requests and answers nobody",
            default=NO_MODEL,
            allowed_pattern=f"{NO_MODEL}|{_PACKAGE_ARN}",
        ).value_as_string

    def _text(self, name: str, description: str, *, pattern: str | None = None) -> str:
        return CfnParameter(self._stack, name, description=description, allowed_pattern=pattern or ".+").value_as_string

    def _number(self, name: str, description: str) -> CfnParameter:
        return CfnParameter(self._stack, name, type="Number", description=description, min_value=1)
