"""Whether a version may be released: approved, of this registry, with its own evidence, parity and an intact artifact.

Must not change anything. Every reason is found at once, and says what to do.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.model_archive import (
    GOLDEN_RECORDS,
    MANIFEST,
    SERVED_MODEL,
    ArchiveError,
    ModelArchive,
    read_archive,
)
from lambdas.shared.packages import APPROVED, ModelPackage
from lambdas.shared.s3 import Bucket, split_uri

EVALUATE = "python -m releases evaluate --version {version}"
MAXIMUM_EVALUATION_BYTES = 8 << 20
# What S3 answers for an object that is not there, or that this function may not read.
_UNREADABLE = frozenset({"NoSuchBucket", "AccessDenied", "403", "InvalidBucketName", "InvalidObjectState"})


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """The checks of one model package group; `s3` is a boto3 client.

    `needs_baseline`: the endpoint comes with monitoring schedules of SageMaker, which compare with a baseline.
    """

    s3: Any
    model_package_group: str
    needs_baseline: bool = False

    def reasons_against(self, package: ModelPackage) -> list[str]:
        """Why `package` may not be released; empty if it may. Errors of AWS that may pass propagate."""
        if package.group != self.model_package_group:
            return [f"the version belongs to {package.group or 'no group'}, not to {self.model_package_group}"]
        if package.approval != APPROVED:
            return [f"the version is {package.approval or 'not versioned'}, not {APPROVED}"]
        return [*self._artifact_reasons(package), *self._evidence_reasons(package), *self._baseline_reasons(package)]

    def _baseline_reasons(self, package: ModelPackage) -> Iterator[str]:
        if self.needs_baseline and package.baseline_uri is None:
            yield (
                "the version has no baseline (DriftCheckBaselines), which the endpoint's monitoring schedules need: "
                'train it with the project\'s pipeline, or set monitoring.engine = "analyzer"'
            )

    def _artifact_reasons(self, package: ModelPackage) -> Iterator[str]:
        if package.model_url is None:
            yield "the version names no model.tar.gz (ModelDataUrl of its container): register it again with one"
            return
        archive = self._read(package.model_url)
        if isinstance(archive, str):
            yield f"the artifact {package.model_url} cannot be used: {archive}; export the model and register it again"
            return
        recorded = package.artifact_sha256
        if recorded is None:
            yield f"the version records no artifact_sha256: {EVALUATE.format(version=package.version)} adds it"
        elif recorded != archive.sha256:
            yield (
                f"the artifact {package.model_url} has changed since it was registered: its SHA-256 is "
                f"{archive.sha256}, recorded is {recorded}; register the new artifact as a version of its own"
            )
        yield from content_reasons(archive)

    def _read(self, uri: str) -> ModelArchive | str:
        """The archive, or why it cannot be read."""
        try:
            bucket, key = split_uri(uri)
            body = self.s3.get_object(Bucket=bucket, Key=key)["Body"]
            return read_archive(body.iter_chunks(1 << 20))
        except (ValueError, ArchiveError) as error:
            return str(error)
        except ClientError as error:
            return _unreadable(error)

    def _evidence_reasons(self, package: ModelPackage) -> Iterator[str]:
        command = EVALUATE.format(version=package.version)
        if package.evaluation_uri is None:
            yield f"there is no evidence (ModelMetrics or evaluation_statistics): {command} makes it"
            return
        evaluation = self._read_evaluation(package.evaluation_uri)
        if isinstance(evaluation, str):
            yield f"the evidence {package.evaluation_uri} cannot be used: {evaluation}; {command} makes it anew"
            return
        judged, decision = evaluation["candidate"]["sha256"], evaluation["decision"]
        if judged != package.artifact_sha256:
            yield f"the evidence is about another artifact (SHA-256 {judged}): {command} judges this one"
        if not decision["accepted"]:
            yield f"the evaluation rejected the model: {decision['summary']}"

    def _read_evaluation(self, uri: str) -> Mapping[str, Any] | str:
        """The evaluation in the project's form, or why there is none."""
        try:
            bucket, key = split_uri(uri)
            version = Bucket(self.s3, bucket).head(key)
            if version is None:
                return "there is no such object"
            if version.size > MAXIMUM_EVALUATION_BYTES:
                return f"it has more than {MAXIMUM_EVALUATION_BYTES:,} bytes"
            content = json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            # Read once here, so that every later access is sure.
            _ = (content["candidate"]["sha256"], content["decision"]["accepted"], content["decision"]["summary"])
        except (KeyError, TypeError):
            return "it was not written by the project's evaluation"
        except ValueError as error:
            return str(error)
        except ClientError as error:
            return _unreadable(error)
        evaluation: Mapping[str, Any] = content
        return evaluation


def content_reasons(archive: ModelArchive) -> Iterator[str]:
    """What an archive lacks of served model, golden records, manifest and proven parity."""
    missing = [name for name in (SERVED_MODEL, GOLDEN_RECORDS, MANIFEST) if name not in archive.members]
    if missing:
        yield f"the artifact lacks {', '.join(missing)}: pack it with the project's export"
        return
    try:
        records = archive.documents[GOLDEN_RECORDS]["records"]
        parity = archive.documents[MANIFEST]["metrics"]["parity"]
        files = dict(archive.documents[MANIFEST]["files"])
        proven = float(parity["largest_log_difference"]) <= float(parity["tolerance"])
    except (KeyError, TypeError, ValueError) as error:
        yield f"the artifact proves no parity of its served form ({error!r}): pack it with the project's export"
        return
    if not records:
        yield "the artifact has no golden record: pack it with the project's export"
    if not proven:
        yield f"the served form does not predict what the trained model predicts: {dict(parity)}"
    others = sorted(name for name, digest in files.items() if archive.members.get(name) != digest)
    if others:
        yield f"{', '.join(others)} in the artifact differ from its manifest: export the model again"


def _unreadable(error: ClientError) -> str:
    code = str(error.response["Error"]["Code"])
    if code in ("NoSuchKey", "404"):
        return "there is no such object"
    if code not in _UNREADABLE:
        raise error
    return f"S3 answers {code}"
