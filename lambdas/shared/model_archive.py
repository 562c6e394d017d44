"""Reads a model.tar.gz as a stream: digest, digests of its members, and its small JSON documents.

Nothing is written to a disk, and memory does not grow with the archive. Must not know what a member means.
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from lambdas.shared.errors import LambdaError

GOLDEN_RECORDS, MANIFEST, SERVED_MODEL, FEATURES = (
    "golden_records.json",
    "manifest.json",
    "model.onnx",
    "feature_spec.json",
)
_DOCUMENTS = frozenset({GOLDEN_RECORDS, MANIFEST, FEATURES})
# A model of this project has a few hundred kilobytes and its documents a few; a thousand times as much is a mistake.
MAXIMUM_UNPACKED_BYTES = 1 << 30
MAXIMUM_DOCUMENT_BYTES = 4 << 20
_CHUNK = 1 << 20


class ArchiveError(LambdaError):
    """The archive cannot be read, or holds what no model archive may hold."""


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """What was found: SHA-256 of the whole and of each member by name, and the parsed documents by name."""

    sha256: str
    members: Mapping[str, str]
    documents: Mapping[str, Any]


def read_archive(chunks: Iterable[bytes]) -> ModelArchive:
    """Read an archive to its last byte; ArchiveError says why it cannot be used."""
    source = _HashedStream(chunks)
    members: dict[str, str] = {}
    documents: dict[str, Any] = {}
    try:
        with tarfile.open(fileobj=source, mode="r|gz") as tar:  # type: ignore[call-overload]
            total = 0
            for member in tar:
                name = _safe_name(member)
                total += member.size
                if total > MAXIMUM_UNPACKED_BYTES:
                    raise ArchiveError(f"it unpacks to more than {MAXIMUM_UNPACKED_BYTES:,} bytes")
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    members[name], kept = _digest(content, keep=name in _DOCUMENTS, name=name)
                    if kept is not None:
                        documents[name] = _parse(kept, name)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveError(f"it is damaged or no gzip-compressed tar ({error})") from error
    return ModelArchive(source.finish(), members, documents)


class _HashedStream:
    """A file object over chunks that hashes what passes through it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
            self._hash.update(self._rest)
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)

    def finish(self) -> str:
        """SHA-256 of everything, also of what the tar's reader left unread."""
        for chunk in self._chunks:
            self._hash.update(chunk)
        return self._hash.hexdigest()


def _safe_name(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise ArchiveError(f"it has the unsafe member {member.name!r}")
    return str(path)


def _digest(content: IO[bytes], *, keep: bool, name: str) -> tuple[str, bytes | None]:
    """SHA-256 of a member, and its bytes if they are to be kept."""
    digest, kept = hashlib.sha256(), bytearray()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        if keep:
            kept += chunk
            if len(kept) > MAXIMUM_DOCUMENT_BYTES:
                raise ArchiveError(f"its {name} has more than {MAXIMUM_DOCUMENT_BYTES:,} bytes")
    return digest.hexdigest(), bytes(kept) if keep else None


def _parse(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise ArchiveError(f"its {name} is not JSON ({error})") from error
