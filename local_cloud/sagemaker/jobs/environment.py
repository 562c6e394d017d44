"""The command line and the environment of a job's process: what the container would get, and nothing else."""

from collections.abc import Mapping

from local_cloud.clients import Credentials
from local_cloud.images import LocalImage
from local_cloud.sagemaker.jobs.job import JobIdentity
from local_cloud.sagemaker.jobs.layout import JobFolder
from local_cloud.sagemaker.jobs.plan import Program


def command(program: Program, image: LocalImage, folder: JobFolder) -> tuple[str, ...]:
    """Entrypoint and arguments as Docker combines them: an own entrypoint drops the image's command.

    `python` and files of the image become those on this machine, paths under `/opt/ml` those in the job's folder.
    """
    defaults = () if program.entrypoint else tuple(image.command)
    words = [*(program.entrypoint or image.entrypoint), *(program.arguments or defaults)]
    return tuple(folder.translate(word) for word in image.host_command(words))


def environment(
    identity: JobIdentity,
    program: Program,
    image: LocalImage,
    *,
    folder: JobFolder,
    credentials: Credentials,
    endpoint_url: str,
) -> dict[str, str]:
    """All variables of the process.

    The image's come first, then the request's, then what SageMaker itself sets, which a request cannot change: the
    job's name and ARN, the region, and the role's credentials (on AWS through the container credentials endpoint).
    """
    own: Mapping[str, str] = {
        "ML_BASE_DIR": str(folder.base),
        "TMPDIR": str(folder.temporary),
        "HOME": str(folder.temporary),
        "AWS_REGION": identity.region,
        "AWS_DEFAULT_REGION": identity.region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        _prefix(identity) + "_JOB_NAME": identity.name,
        _prefix(identity) + "_JOB_ARN": identity.arn,
    }
    defaults = {"PATH": f"{image.python.parent}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    return {**defaults, **image.environment, **program.environment, **own, **credentials.environment()}


def _prefix(identity: JobIdentity) -> str:
    return "TRAINING" if ":training-job/" in identity.arn else "PROCESSING"
