"""Snapshots of a dataset in the lake: which is the newest, and how many rows one has.

Must not make a snapshot: ingestion does, see `lambdas.ingest_upload.snapshot`.
"""

from dataclasses import dataclass

from lambdas.shared.s3 import Bucket

_MANIFEST, _FILES = "manifest.json", "files.manifest"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a dataset; `files_manifest` is the S3 URI that a pipeline reads."""

    dataset: str
    data_version: str
    files_manifest: str
    rows: int


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots of one dataset in the lake bucket."""

    lake: Bucket
    dataset: str

    def newest(self) -> Snapshot | None:
        """The one that was made last, of all files admitted until then; None before the first.

        Of several made in the same second, the one with the most rows: each holds what was admitted before it.
        """
        keys = self.lake.newest(self._prefix, file=_MANIFEST)
        found = [self._read(key.removesuffix(_MANIFEST)) for key in keys]
        known = [snapshot for snapshot in found if snapshot]
        return max(known, key=lambda snapshot: (snapshot.rows, snapshot.data_version), default=None)

    def rows(self, data_version: str) -> int | None:
        """How many rows a version has; None if the lake does not have it."""
        found = self._read(f"{self._prefix}{data_version}/")
        return found.rows if found else None

    @property
    def _prefix(self) -> str:
        return f"snapshots/{self.dataset}/"

    def _read(self, folder: str) -> Snapshot | None:
        document = self.lake.read_json(f"{folder}{_MANIFEST}")
        if document is None:
            return None
        return Snapshot(
            dataset=self.dataset,
            data_version=str(document.value["data_version"]),
            files_manifest=self.lake.uri(f"{folder}{_FILES}"),
            rows=int(document.value["rows"]),
        )
