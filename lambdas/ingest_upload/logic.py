"""Decides what becomes of an upload: part of the data, a duplicate, or quarantined with a report.

Every outcome is reached by steps that can be repeated, so the same event twice, two events at once, or an
invocation that died between any two writes all end in the same state. Must not parse events or read the
environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from data_contracts.contract import DataContract
from data_contracts.file_check import CheckLimits, FileReport, check_chunks
from lambdas.ingest_upload.quarantine import hides_a_refusal, is_finished, quarantine
from lambdas.ingest_upload.records import AcceptanceRecord, RecordStore
from lambdas.ingest_upload.refusal import Refusal, refuse_content, refuse_unread
from lambdas.ingest_upload.snapshot import Snapshot, publish
from lambdas.ingest_upload.upload import RAW_PREFIX, Upload
from lambdas.shared.events import Event, EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket, ObjectVersion


class Outcome(StrEnum):
    """What became of an upload."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REPEATED = "repeated"
    SUPERSEDED = "superseded"
    VANISHED = "vanished"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What the function works with, made once per cold start; `contracts` is by data set."""

    lake: Bucket
    bus: EventBus
    contracts: Mapping[str, DataContract]
    log: JsonLog
    limits: CheckLimits | None = None

    def ingest(self, upload: Upload) -> Outcome:
        """Bring one upload to its end; says which. Errors of AWS propagate, so that Lambda retries."""
        if upload.bucket != self.lake.name or not upload.key.startswith(RAW_PREFIX) or upload.is_folder:
            return self._done(upload, Outcome.IGNORED)
        if is_finished(self.lake, upload):
            return self._done(upload, Outcome.REPEATED)
        if upload.dataset in self.contracts and self._is_accepted(upload):
            snapshot = publish(self.lake, self.bus, upload.dataset)
            return self._done(upload, Outcome.REPEATED, data_version=snapshot.data_version)
        if self.lake.head(upload.key) is None and not hides_a_refusal(self.lake, upload):
            # Its owner withdrew it, and a retry cannot bring it back. Its versions stay where they are.
            return self._done(upload, Outcome.VANISHED)
        refusal = refuse_unread(upload, datasets=sorted(self.contracts))
        if refusal is not None:
            return self._refuse(refusal)
        contract = self.contracts[upload.dataset]
        return self._ingest_content(upload, contract.for_captured() if upload.is_captured else contract)

    def _is_accepted(self, upload: Upload) -> bool:
        """Whether an earlier invocation accepted this very version, and perhaps died before the snapshot."""
        known = RecordStore(self.lake, upload.dataset).get(upload.record_key)
        return known is not None and known.version_id == upload.version_id

    def _ingest_content(self, upload: Upload, contract: DataContract) -> Outcome:
        download = self.lake.download(upload.key, upload.version_id)
        if download is None:
            return self._done(upload, Outcome.VANISHED)
        version = download.version
        report = check_chunks(download.chunks, contract, size=version.size, limits=self.limits)
        if not report.accepted:
            return self._refuse(refuse_content(upload, report, contract))
        return self._accept(upload, version, report)

    def _accept(self, upload: Upload, version: ObjectVersion, report: FileReport) -> Outcome:
        store = RecordStore(self.lake, upload.dataset)
        record, content_is_new = self._curate(upload, version, report)
        known = store.get(upload.record_key)
        if known is not None and not record.is_newer_than(known):
            return self._superseded(upload)
        twin = None if content_is_new else store.key_with_content(report.sha256)
        if twin is not None:
            # Before the record: once that is written, a repetition takes this upload for done.
            self.bus.send(_duplicate(upload, twin))
        if not store.put(upload.record_key, record):
            return self._superseded(upload)
        snapshot = publish(self.lake, self.bus, upload.dataset)
        outcome = Outcome.DUPLICATE if twin else Outcome.ACCEPTED
        return self._done(upload, outcome, **_facts(snapshot, report))

    def _superseded(self, upload: Upload) -> Outcome:
        """An earlier invocation may have died between a snapshot without the newer version and the look after it."""
        publish(self.lake, self.bus, upload.dataset)
        return self._done(upload, Outcome.SUPERSEDED)

    def _curate(self, upload: Upload, version: ObjectVersion, report: FileReport) -> tuple[AcceptanceRecord, bool]:
        """Copy the file to its content's address unless that is there; its record, and whether it was new."""
        curated_key = f"curated/{upload.dataset}/{report.sha256}.csv"
        present = self.lake.head(curated_key)
        if present is None:
            curated_version = self.lake.copy(upload.key, upload.version_id, to=curated_key)
        else:
            curated_version = present.version_id
        record = AcceptanceRecord(
            key=upload.key,
            version_id=upload.version_id,
            modified=version.last_modified.isoformat(),
            sequencer=upload.sequencer,
            sha256=report.sha256,
            size=report.size,
            rows=report.rows,
            rows_checked=report.rows_checked,
            checked=report.checked,
            duplicate_keys=report.duplicate_keys,
            curated_key=curated_key,
            curated_version_id=curated_version,
        )
        return record, present is None

    def _refuse(self, refusal: Refusal) -> Outcome:
        report = quarantine(self.lake, self.bus, refusal)
        return self._done(refusal.upload, Outcome.QUARANTINED, report=report, reasons=refusal.reasons)

    def _done(self, upload: Upload, outcome: Outcome, **facts: object) -> Outcome:
        self.log.info("upload handled", key=upload.key, version_id=upload.version_id, outcome=outcome, **facts)
        return outcome


def _duplicate(upload: Upload, twin: str) -> Event:
    return Event(
        "Duplicate Upload Ignored",
        {
            "dataset": upload.dataset,
            "key": upload.key,
            "versionId": upload.version_id,
            "duplicateOf": twin,
        },
    )


def _facts(snapshot: Snapshot, report: FileReport) -> dict[str, object]:
    """What the log says of an accepted file."""
    return {
        "data_version": snapshot.data_version,
        "sha256": report.sha256,
        "rows": report.rows,
        "rows_checked": report.rows_checked,
        "duplicate_keys": report.duplicate_keys,
    }
