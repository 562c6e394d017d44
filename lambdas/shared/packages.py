"""One version in the model registry, as the release needs it.

Must not decide whether a version may be released.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelPackage.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"
_BASELINE_STATISTICS = "statistics.json"


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A version; `model_url` and `evaluation_uri` are S3 URIs of objects, None when the package names none.
    `baseline_uri` is the S3 prefix below which the baseline of its monitors lies.

    `changed` is the moment of the last change in ISO 8601, `changed_by` the ARN of who made it, if that is known.
    """

    arn: str
    group: str
    version: int
    approval: str
    approval_description: str
    model_url: str | None
    evaluation_uri: str | None
    baseline_uri: str | None
    properties: Mapping[str, str]
    changed: str
    changed_by: str

    @property
    def artifact_sha256(self) -> str | None:
        """Digest of the archive as it was when the version was registered or evaluated."""
        return self.properties.get("artifact_sha256")


def describe_package(sagemaker: Any, arn: str) -> ModelPackage | None:
    """The version `arn`; None when the registry has none. `sagemaker` is a boto3 client."""
    try:
        answer = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return None
    return parse_package(answer)


def parse_package(answer: Mapping[str, Any]) -> ModelPackage:
    """A version from the answer of DescribeModelPackage."""
    properties = answer.get("CustomerMetadataProperties", {})
    changed = answer.get("LastModifiedTime", answer["CreationTime"])
    return ModelPackage(
        arn=str(answer["ModelPackageArn"]),
        group=str(answer.get("ModelPackageGroupName", "")),
        version=int(answer.get("ModelPackageVersion", 0)),
        approval=str(answer.get("ModelApprovalStatus", "")),
        approval_description=str(answer.get("ApprovalDescription", "")),
        model_url=_model_url(answer),
        # The later of the two: a package's ModelMetrics cannot be changed, its properties can.
        evaluation_uri=properties.get("evaluation_statistics") or _statistics(answer),
        baseline_uri=_baseline(answer),
        properties=properties,
        changed=changed.isoformat() if hasattr(changed, "isoformat") else str(changed),
        changed_by=_identity(answer.get("LastModifiedBy", {})),
    )


def _model_url(answer: Mapping[str, Any]) -> str | None:
    """Where the first container's model.tar.gz lies, in either of the two forms that a package can say it in."""
    containers = answer.get("InferenceSpecification", {}).get("Containers", ())
    if not containers:
        return None
    source = containers[0].get("ModelDataSource", {}).get("S3DataSource", {})
    packed = source.get("S3Uri") if source.get("CompressionType") == "Gzip" else None
    return containers[0].get("ModelDataUrl") or packed


def _statistics(answer: Mapping[str, Any]) -> str | None:
    quality = answer.get("ModelMetrics", {}).get("ModelQuality", {})
    uri: str | None = quality.get("Statistics", {}).get("S3Uri")
    return uri


def _baseline(answer: Mapping[str, Any]) -> str | None:
    """All files of a baseline lie beside its statistics."""
    data = answer.get("DriftCheckBaselines", {}).get("ModelDataQuality", {})
    uri = str(data.get("Statistics", {}).get("S3Uri", ""))
    folder, _, file = uri.rpartition("/")
    return f"{folder}/" if file == _BASELINE_STATISTICS else None


def _identity(context: Mapping[str, Any]) -> str:
    """Who a UserContext names: a Studio user, an IAM identity, or nobody."""
    return str(context.get("UserProfileArn") or context.get("IamIdentity", {}).get("Arn") or "")
