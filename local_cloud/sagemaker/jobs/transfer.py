"""Inputs from S3 and outputs to it, with the job role's own client, several objects at a time.

It knows nothing of jobs but their role, which it names in errors.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.sagemaker.jobs.failures import JobFailure, download_failure, no_objects, upload_failure
from local_cloud.sagemaker.jobs.layout import files_below
from local_cloud.sagemaker.jobs.plan import S3Destination, S3Source

_THREADS = 8
_MULTIPART_BYTES = 64 * 2**20


@dataclass(frozen=True)
class S3Object:
    """One object to fetch, and where it goes below the input's folder."""

    bucket: str
    key: str
    relative: str

    @property
    def uri(self) -> str:
        """s3://bucket/key"""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Transfer:
    """Moves the data of one job. `s3` is a client with the rights of `role_arn`."""

    s3: Any
    role_arn: str
    region: str
    kms_key_id: str | None = None

    def download(self, sources: list[tuple[S3Source, Path]]) -> None:
        """Fetch every input into its folder. Raises JobFailure in AWS's words for the first that cannot be read."""
        wanted: list[tuple[S3Object, Path]] = []
        for source, folder in sources:
            found = list(self._from_manifest(source) if source.manifest else self._under(source.uri))
            if not found:
                raise no_objects(source.uri, role_arn=self.role_arn, region=self.region)
            wanted += [(item, _inside(folder, item)) for item in found]
        _each(self._fetch, wanted)

    def upload(self, destinations: list[tuple[S3Destination, Path]]) -> None:
        """Send the files of every output. A path that is a file is sent to the URI itself."""
        wanted: list[tuple[str, Path]] = []
        for destination, path in destinations:
            if path.is_file():
                wanted.append((destination.uri, path))
            else:
                base = destination.uri.rstrip("/")
                wanted += [(f"{base}/{file.relative_to(path).as_posix()}", file) for file in files_below(path)]
        _each(self._send, wanted)

    def _under(self, uri: str) -> Iterator[S3Object]:
        bucket, prefix = split_uri(uri)
        try:
            for answer in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in answer.get("Contents", ()):
                    if not item["Key"].endswith("/"):
                        yield S3Object(bucket, item["Key"], _relative(item["Key"], prefix))
        except ClientError as error:
            raise download_failure(error, uri=uri, role_arn=self.role_arn, region=self.region) from error

    def _from_manifest(self, source: S3Source) -> Iterator[S3Object]:
        """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html"""
        bucket, key = split_uri(source.uri)
        try:
            text = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise download_failure(error, uri=source.uri, role_arn=self.role_arn, region=self.region) from error
        try:
            first, *names = json.loads(text)
            data_bucket, prefix = split_uri(first["prefix"])
        except (ValueError, TypeError, KeyError) as error:
            raise JobFailure(
                f"ClientError: The manifest file {source.uri} of input {source.name!r} is not a JSON list "
                f'[{{"prefix": "s3://..."}}, "relative/path", ...]: {error}'
            ) from error
        for name in names:
            yield S3Object(data_bucket, f"{prefix}{name}", str(name))

    def _fetch(self, item: S3Object, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            body = self.s3.get_object(Bucket=item.bucket, Key=item.key)["Body"]
        except ClientError as error:
            raise download_failure(error, uri=item.uri, role_arn=self.role_arn, region=self.region) from error
        with target.open("wb") as file:
            shutil.copyfileobj(body, file, 2**20)

    def _send(self, uri: str, path: Path) -> None:
        bucket, key = split_uri(uri)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key_id} if self.kms_key_id else {}
        try:
            if path.stat().st_size > _MULTIPART_BYTES:
                self.s3.upload_file(str(path), bucket, key, ExtraArgs=encryption)
            else:
                with path.open("rb") as file:
                    self.s3.put_object(Bucket=bucket, Key=key, Body=file, **encryption)
        except ClientError as error:
            raise upload_failure(error, uri=uri) from error


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 URI. Raises JobFailure if it is not one."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise JobFailure(f"ClientError: {uri!r} is not an S3 URI (s3://bucket/key).")
    return bucket, key


def _relative(key: str, prefix: str) -> str:
    """A key below its input's folder: what follows the prefix; an exact key, or a part of a name, keeps its name."""
    rest = key[len(prefix) :]
    if rest and (rest.startswith("/") or prefix.endswith("/") or not prefix):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _inside(folder: Path, item: S3Object) -> Path:
    relative = PurePosixPath(item.relative)
    if relative.is_absolute() or ".." in relative.parts:
        raise JobFailure(f"ClientError: the key {item.uri} would be written outside of the input's folder.")
    return folder.joinpath(*relative.parts)


def _each(action: Any, calls: list[tuple[Any, Path]]) -> None:
    if len(calls) < 2:
        for call in calls:
            action(*call)
        return
    with ThreadPoolExecutor(min(_THREADS, len(calls)), thread_name_prefix="transfer") as pool:
        for future in [pool.submit(action, *call) for call in calls]:
            future.result()
