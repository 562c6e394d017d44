"""model.tar.gz onto the disk of a model server: downloaded with the model's role, and extracted safely."""

import shutil
import tarfile
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.endpoints.failures import LaunchFailure
from local_cloud.sagemaker.jobs.failures import message

_CHUNK = 2**20


def fetch_model(s3: Any, url: str, *, folder: Path) -> None:
    """Download `url` (s3://bucket/key of a tar.gz) and extract it into `folder`, which is made.

    Raises LaunchFailure in AWS's words: no permission, no object, not an archive, or a member that would be written
    outside of the folder.
    """
    folder.mkdir(parents=True)
    archive = folder.parent / "model.tar.gz"
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        with archive.open("wb") as file:
            shutil.copyfileobj(body, file, _CHUNK)
    except ClientError as error:
        raise _not_downloaded(url, message(error)) from error
    except BotoCoreError as error:
        raise _not_downloaded(url, str(error)) from error
    try:
        with tarfile.open(archive, "r:gz") as members:
            members.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise LaunchFailure(
            f'Failed to extract model data archive for container "container_1" from URL "{url}". Please ensure that '
            f"the object located at the URL is a valid tar.gz archive: {error}"
        ) from error
    finally:
        archive.unlink(missing_ok=True)


def _not_downloaded(url: str, reason: str) -> LaunchFailure:
    return LaunchFailure(
        f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is '
        f"an object located at the URL and that the role passed to CreateModel has permissions to download it: {reason}"
    )
