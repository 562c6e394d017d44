"""Snapshots: an immutable list of all accepted files of a data set, under a version that their content
decides.

The version is a hash over (SHA-256, rows) of the files, so the same data has the same version wherever,
whenever and under whatever names it was uploaded. So a version does not tell when it was made: a pointer, replaced
as a whole, names the current one. Must not read the files themselves.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from lambdas.ingest_upload.announce import announce_once
from lambdas.ingest_upload.records import AcceptanceRecord, RecordStore
from lambdas.shared.errors import ConflictError
from lambdas.shared.events import Event, EventBus
from lambdas.shared.s3 import Bucket, Document
from lambdas.shared.snapshots import pointer_key, snapshot_prefix

# Attempts at a snapshot that is still true once it is the current one. Each lost one means that another upload was
# accepted meanwhile.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file of a snapshot: an exact version of a curated object, and the raw object that it came from."""

    key: str
    version_id: str
    sha256: str
    size: int
    rows: int
    rows_checked: int
    checked: str
    source_key: str
    source_version_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files of a data set, each content once, sorted by SHA-256."""

    dataset: str
    files: tuple[SnapshotFile, ...]

    @property
    def rows(self) -> int:
        """Data rows of all files together."""
        return sum(file.rows for file in self.files)

    @property
    def data_version(self) -> str:
        """16 hexadecimal digits that depend on the content only."""
        content = json.dumps([[file.sha256, file.rows] for file in self.files], separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def prefix(self) -> str:
        """Where the snapshot's manifests lie; ends with a slash."""
        return snapshot_prefix(self.dataset, self.data_version)


def build_snapshot(dataset: str, records: Iterable[AcceptanceRecord]) -> Snapshot:
    """The snapshot of all `records`; of several with the same content, the first by raw key counts."""
    by_content: dict[str, AcceptanceRecord] = {}
    for record in sorted(records, key=lambda record: record.key):
        by_content.setdefault(record.sha256, record)
    files = tuple(
        SnapshotFile(
            key=record.curated_key,
            version_id=record.curated_version_id,
            sha256=sha256,
            size=record.size,
            rows=record.rows,
            rows_checked=record.rows_checked,
            checked=record.checked,
            source_key=record.key,
            source_version_id=record.version_id,
        )
        for sha256, record in sorted(by_content.items())
    )
    return Snapshot(dataset, files)


def publish(lake: Bucket, bus: EventBus, dataset: str) -> Snapshot:
    """Write the snapshot of all records that there are, make it the current one and announce it. Safe to repeat.

    The pointer is replaced only if it is as it was before the records were listed, and they are listed once more
    afterwards. So of several invocations at once the last one to look has seen the records of all, and what it wrote
    is not overwritten by one that has seen less. Raises ConflictError if others do not stop.
    """
    store = RecordStore(lake, dataset)
    for _ in range(_ROUNDS):
        seen = lake.read_json(pointer_key(dataset))
        listing = store.listing()
        snapshot = build_snapshot(dataset, store.read(listing))
        _write(lake, snapshot)
        revision = _make_current(lake, snapshot, seen=seen)
        if revision is not None and store.listing() == listing:
            break
    else:
        raise ConflictError(f"uploads to {dataset} were admitted {_ROUNDS} times while its snapshot was made")
    # The content may have been current before: a return to it is news, too.
    marker = f"snapshots/{dataset}/announced/{revision:08d}.json"
    announce_once(lake, bus, marker=marker, event=_created(lake, snapshot))
    return snapshot


def _make_current(lake: Bucket, snapshot: Snapshot, *, seen: Document | None) -> int | None:
    """Let the pointer name `snapshot`; its revision, or None if the pointer is no longer as it was `seen`."""
    revision = int(seen.value["revision"]) if seen else 0
    if seen and seen.value["data_version"] == snapshot.data_version:
        return revision
    key = pointer_key(snapshot.dataset)
    pointer = {"data_version": snapshot.data_version, "revision": revision + 1}
    written = lake.replace_json(key, pointer, etag=seen.etag) if seen else lake.create_json(key, pointer)
    return revision + 1 if written else None


def _write(lake: Bucket, snapshot: Snapshot) -> None:
    """Write both manifests unless they are there; ours comes last, since its presence means that both are."""
    folder = f"curated/{snapshot.dataset}/"
    names = [file.key.removeprefix(folder) for file in snapshot.files]
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html (ManifestFile)
    lake.create_json(f"{snapshot.prefix}files.manifest", [{"prefix": lake.uri(folder)}, *names])
    lake.create_json(
        f"{snapshot.prefix}manifest.json",
        {
            "dataset": snapshot.dataset,
            "data_version": snapshot.data_version,
            "rows": snapshot.rows,
            "bucket": lake.name,
            "files": [asdict(file) for file in snapshot.files],
        },
    )


def _created(lake: Bucket, snapshot: Snapshot) -> Event:
    return Event(
        "Snapshot Created",
        {
            "dataset": snapshot.dataset,
            "dataVersion": snapshot.data_version,
            "manifest": {"bucket": lake.name, "key": f"{snapshot.prefix}manifest.json"},
            "filesManifest": lake.uri(f"{snapshot.prefix}files.manifest"),
            "rows": snapshot.rows,
            "files": len(snapshot.files),
        },
    )
