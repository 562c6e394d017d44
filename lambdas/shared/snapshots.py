"""Snapshots of a dataset in the lake: which is the current one, and how many rows one has.

Must not make a snapshot: ingestion does, see `lambdas.ingest_upload.snapshot`.
"""

from dataclasses import dataclass

from lambdas.shared.s3 import Bucket


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

    def current(self) -> Snapshot | None:
        """The one of all files that are admitted now; None before the first.

        It need not be the one that was made last: data that returns to an earlier state returns to that snapshot.
        """
        pointer = self.lake.read_json(pointer_key(self.dataset))
        return self._read(str(pointer.value["data_version"])) if pointer else None

    def rows(self, data_version: str) -> int | None:
        """How many rows a version has; None if the lake does not have it."""
        found = self._read(data_version)
        return found.rows if found else None

    def _read(self, data_version: str) -> Snapshot | None:
        folder = snapshot_prefix(self.dataset, data_version)
        document = self.lake.read_json(f"{folder}manifest.json")
        if document is None:
            return None
        return Snapshot(
            dataset=self.dataset,
            data_version=data_version,
            files_manifest=self.lake.uri(f"{folder}files.manifest"),
            rows=int(document.value["rows"]),
        )


def pointer_key(dataset: str) -> str:
    """Of the small object that names the current snapshot: {"data_version", "revision"}."""
    return f"snapshots/{dataset}/current.json"


def snapshot_prefix(dataset: str, data_version: str) -> str:
    """Where a snapshot's manifests lie; ends with a slash."""
    return f"snapshots/{dataset}/{data_version}/"
