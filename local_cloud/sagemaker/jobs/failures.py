"""Why a job failed, in the words in which SageMaker says it: `ClientError: ...` is the user's set-up, `AlgorithmError`
the user's code.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html (FailureReason)
"""

from botocore.exceptions import ClientError

from local_cloud.errors import LocalCloudError

REASON_LIMIT = 1024
_DENIED = ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation")


class JobFailure(LocalCloudError):
    """The job ends as Failed; the text is its FailureReason."""


def download_failure(error: ClientError, *, uri: str, role_arn: str, region: str) -> JobFailure:
    """A failed read of an input."""
    if _code(error) in _DENIED:
        return JobFailure(
            f"ClientError: Data download failed: Please ensure that the role {role_arn!r} exists and that its trust "
            f"relationship policy allows the action 'sts:AssumeRole' for the service principal "
            f"'sagemaker.amazonaws.com'. Also ensure that the role has the permission that was missing for {uri} "
            f"and that the object is located in {region}: {message(error)}"
        )
    return JobFailure(f"ClientError: Data download failed: {uri}: {message(error)}")


def no_objects(uri: str, *, role_arn: str, region: str) -> JobFailure:
    """An input that names nothing."""
    bucket = uri.removeprefix("s3://").split("/")[0]
    return JobFailure(
        f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
        f"bucket exists in the selected region ({region}), that objects exist under that S3 prefix, and that the "
        f'role "{role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def upload_failure(error: ClientError, *, uri: str) -> JobFailure:
    """A failed write of an output."""
    return JobFailure(f"ClientError: Data upload failed: failed to upload to {uri}: {message(error)}")


def role_failure(error: ClientError, *, role_arn: str, doing: str) -> JobFailure:
    """Anything else that the job's role may not do, or cannot be assumed for."""
    return JobFailure(f"ClientError: {doing} failed for the role {role_arn}: {message(error)}")


def crash(exit_code: int, explanation: str) -> JobFailure:
    """The user's program ended with an error. `explanation` is its failure file, or the end of its log."""
    suffix = f", exit code: {exit_code}"
    room = REASON_LIMIT - len("AlgorithmError: ") - len(suffix)
    return JobFailure(f"AlgorithmError: {explanation.strip()[:room]}{suffix}")


def out_of_memory(instance_type: str, memory_bytes: int) -> JobFailure:
    """The program needed more memory than its instance type has."""
    return JobFailure(
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
        f"instance., exit code: 137 (OutOfMemory: the limit of {instance_type} here is {memory_bytes / 2**30:.2f} GiB)"
    )


def denied(error: ClientError) -> bool:
    """Whether an API call was refused for want of a permission."""
    return _code(error) in _DENIED


def message(error: ClientError) -> str:
    """Code, operation and message of a failed API call; the message of a refusal names the action."""
    return f"{_code(error)} when calling {error.operation_name}: {error.response['Error'].get('Message', '')}"


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
