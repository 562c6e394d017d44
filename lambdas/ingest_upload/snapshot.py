"""Snapshots: an immutable list of all accepted files of a data set, under a version that their content
decides.

The version is a hash over (SHA-256, rows) of the files, so the same data has the same version wherever,
whenever and under whatever names it was uploaded. Must not read the files themselves.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from lambdas.ingest_upload.announce import announce_once
from lambdas.ingest_upload.records import AcceptanceRecord, RecordStore
from lambdas.shared.events import Event, EventBus
from lambdas.shared.s3 import Bucket

# Rounds of looking whether another upload was accepted meanwhile. Ending early is safe: that upload's own
# invocation lists the records after this one wrote its own, so its snapshot holds both.
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
        return f"snapshots/{self.dataset}/{self.data_version}/"


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
    """Write the snapshot of all records that there are; announce it if it is new. Safe to repeat."""
    store = RecordStore(lake, dataset)
    listing = store.listing()
    for _ in range(_ROUNDS):
        snapshot = build_snapshot(dataset, store.read(listing))
        _write(lake, snapshot)
        before, listing = listing, store.listing()
        if listing == before:
            break
    announce_once(lake, bus, marker=f"{snapshot.prefix}announced.json", event=_created(lake, snapshot))
    return snapshot


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
