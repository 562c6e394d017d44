"""Sets a refused file aside: copy, report, event, then a delete marker on the raw key. Nothing is ever
deleted.

Every step can be repeated, and the delete marker comes last, so an invocation that died anywhere is
finished by the next one. Must not decide whether a file is good.
"""

from lambdas.ingest_upload.announce import announce_once
from lambdas.ingest_upload.refusal import Refusal, report_document, report_text
from lambdas.ingest_upload.upload import LARGEST_COPY, Upload
from lambdas.shared.events import Event, EventBus
from lambdas.shared.s3 import Bucket


def is_finished(lake: Bucket, upload: Upload) -> bool:
    """Whether this version was refused, reported, announced and taken off the raw key before."""
    if lake.head(f"{upload.quarantine_prefix}announced.json") is None:
        return False
    current = lake.head(upload.key)
    return current is None or current.version_id != upload.version_id or upload.size > LARGEST_COPY


def hides_a_refusal(lake: Bucket, upload: Upload) -> bool:
    """Whether a version of this key was refused, so that a delete marker on the key may be this function's own."""
    key_prefix = upload.quarantine_prefix.removesuffix(f"{upload.version_id}/")
    return bool(lake.list(key_prefix))


def quarantine(lake: Bucket, bus: EventBus, refusal: Refusal) -> str:
    """Set a refused upload aside; gives the URI of the readable report."""
    upload, prefix = refusal.upload, refusal.upload.quarantine_prefix
    copied = upload.size <= LARGEST_COPY
    data_key = f"{prefix}data"
    if copied and lake.head(data_key) is None:
        lake.copy(upload.key, upload.version_id, to=data_key)
    original = lake.uri(data_key if copied else upload.key)
    text = report_text(refusal, original=original)
    lake.write(f"{prefix}report.txt", text, content_type="text/plain; charset=utf-8")
    lake.write_json(f"{prefix}report.json", report_document(refusal, original=original))
    report = lake.uri(f"{prefix}report.txt")
    announce_once(lake, bus, marker=f"{prefix}announced.json", event=_quarantined(refusal, report))
    if copied:
        _take_off(lake, upload)
    return report


def _take_off(lake: Bucket, upload: Upload) -> None:
    """Hide the raw key, unless another version, which has an event of its own, has become the current one."""
    current = lake.head(upload.key)
    if current is not None and current.version_id == upload.version_id:
        lake.hide(upload.key, etag=current.etag)


def _quarantined(refusal: Refusal, report: str) -> Event:
    upload = refusal.upload
    return Event(
        "File Quarantined",
        {
            "dataset": upload.dataset,
            "bucket": upload.bucket,
            "key": upload.key,
            "versionId": upload.version_id,
            "report": report,
            "reasons": list(refusal.reasons),
        },
    )
