"""Artifacts: objects in the pipeline's artifact store, one for each output of an action.

Keys are shortened as CodePipeline shortens them: 20 characters of the pipeline's name, 10 of the artifact's.
"""

import io
import secrets
import string
import zipfile
from dataclasses import dataclass
from typing import Any

_PIPELINE_CHARACTERS = 20
_ARTIFACT_CHARACTERS = 10
_ID_CHARACTERS = 7
_ALPHABET = string.ascii_letters + string.digits


class ArtifactError(Exception):
    """An artifact that does not hold what an action needs."""


@dataclass(frozen=True)
class StoredArtifact:
    """Where an artifact is; `revision` is what its source action found."""

    name: str
    bucket: str
    key: str
    revision: str = ""


@dataclass(frozen=True)
class ArtifactStore:
    """The bucket of one pipeline and the key that encrypts in it (None: the bucket's default encryption)."""

    pipeline_name: str
    bucket: str
    encryption_key: str | None

    def place(self, name: str) -> StoredArtifact:
        """A new place for an artifact."""
        identifier = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARACTERS))
        key = f"{self.pipeline_name[:_PIPELINE_CHARACTERS]}/{name[:_ARTIFACT_CHARACTERS]}/{identifier}"
        return StoredArtifact(name, self.bucket, key)

    def write(self, s3: Any, artifact: StoredArtifact, body: bytes) -> None:
        """Put an artifact, with the rights of the given S3 client."""
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.encryption_key} if self.encryption_key else {}
        )
        s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=body, **encryption)


def read_file(s3: Any, artifact: StoredArtifact, path: str) -> str:
    """A text file in an artifact (a zip archive); raises ArtifactError if there is none."""
    body = s3.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return archive.read(path).decode()
    except zipfile.BadZipFile:
        raise ArtifactError(f"artifact {artifact.name} is not a zip archive") from None
    except KeyError:
        raise ArtifactError(f"File [{path}] does not exist in artifact [{artifact.name}]") from None
    except UnicodeDecodeError:
        raise ArtifactError(f"File [{path}] in artifact [{artifact.name}] is not text in UTF-8") from None


def zip_file(name: str, content: str) -> bytes:
    """An artifact of one text file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()
