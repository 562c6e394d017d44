"""Why a fleet could not be started, in the words in which SageMaker says it (DescribeEndpoint's FailureReason)."""

from local_cloud.errors import LocalCloudError

REASON_LIMIT = 1024


class LaunchFailure(LocalCloudError):
    """A variant that does not come up; the text is the endpoint's FailureReason."""


def unhealthy(variant: str, *, group: str, reason: str) -> LaunchFailure:
    """The container started and is not healthy. `group` is the log group to look at."""
    return LaunchFailure(
        f"The primary container for production variant {variant} did not pass the ping health check. Please check "
        f"CloudWatch logs for this endpoint: log group {group} ({reason})."
    )


def image_not_accessible(variant: str, *, reason: str) -> LaunchFailure:
    """The image does not exist, or the model's role may not pull it."""
    return LaunchFailure(
        f"Please make sure all images included in the model for the production variant {variant} exist, and that the "
        f"execution role used to create the model has permissions to access them: {reason}"
    )


def role_not_assumable(role_arn: str, *, reason: str) -> LaunchFailure:
    """SageMaker is not trusted by the role."""
    return LaunchFailure(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        f"'sagemaker.amazonaws.com' to assume the role: {reason}"
    )
