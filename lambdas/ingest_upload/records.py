"""Acceptance records: one small JSON object per raw key, saying which version of it is part of the data.

One object per key, and no common index, is what lets any number of uploads be accepted at once. Must not
decide whether a file is good.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from lambdas.ingest_upload.upload import records_prefix
from lambdas.shared.errors import ConflictError, CorruptRecordError
from lambdas.shared.s3 import Bucket, Document

# Attempts at one conditional write. Each lost one means that another invocation for the same key has just
# won.
_ATTEMPTS = 5
# Small objects, so that the waiting for S3 dominates; boto3's default pool holds 10 connections.
_READERS = 8


@dataclass(frozen=True, slots=True)
class AcceptanceRecord:
    """What is known of one accepted file. `modified` is the version's LastModified in ISO 8601, UTC."""

    key: str
    version_id: str
    modified: str
    sequencer: str
    sha256: str
    size: int
    rows: int
    rows_checked: int
    checked: str
    duplicate_keys: int
    curated_key: str
    curated_version_id: str

    def is_newer_than(self, other: "AcceptanceRecord") -> bool:
        """Whether this version of the key was uploaded after `other`, whatever the order of the events."""
        if self.sequencer and other.sequencer:
            # Hexadecimal texts; S3 says to compare them padded to one length on the right.
            width = max(len(self.sequencer), len(other.sequencer))
            return self.sequencer.ljust(width, "0") > other.sequencer.ljust(width, "0")
        return self.modified >= other.modified


class RecordStore:
    """The acceptance records of one data set."""

    def __init__(self, lake: Bucket, dataset: str) -> None:
        self._lake = lake
        self._prefix = records_prefix(dataset)

    def get(self, record_key: str) -> AcceptanceRecord | None:
        """The record under `record_key`, None when there is none."""
        document = self._lake.read_json(record_key)
        return None if document is None else self._record(record_key, document)

    def put(self, record_key: str, record: AcceptanceRecord) -> bool:
        """Write `record` unless that of a newer version of the key is there; says whether it was written."""
        for _ in range(_ATTEMPTS):
            present = self._lake.read_json(record_key)
            if present is None:
                written = self._lake.create_json(record_key, asdict(record))
            else:
                there = self._record(record_key, present)
                if there.version_id == record.version_id:
                    return True
                if not record.is_newer_than(there):
                    return False
                written = self._lake.replace_json(record_key, asdict(record), etag=present.etag)
            if written:
                return True
        raise ConflictError(f"{self._lake.uri(record_key)} changed {_ATTEMPTS} times while it was being written")

    def listing(self) -> dict[str, str]:
        """`{record key: ETag}`: equal listings mean equal records."""
        return self._lake.list(self._prefix)

    def read(self, record_keys: Iterable[str]) -> list[AcceptanceRecord]:
        """The records under `record_keys`, in that order, without those that are gone."""
        with ThreadPoolExecutor(_READERS) as pool:
            return [record for record in pool.map(self.get, record_keys) if record is not None]

    def key_with_content(self, sha256: str) -> str | None:
        """The raw key that brought this content before; None when the content is in no record."""
        return next((record.key for record in self.read(self.listing()) if record.sha256 == sha256), None)

    def _record(self, record_key: str, document: Document) -> AcceptanceRecord:
        try:
            return AcceptanceRecord(**document.value)
        except TypeError as error:
            raise CorruptRecordError(
                f"{self._lake.uri(record_key)} is no acceptance record ({error}); "
                "restore its previous version, or delete it and upload the raw file again"
            ) from error
