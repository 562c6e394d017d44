"""One upload: what the "Object Created" event says, and what the object's key says about it.

Must not call AWS. The key of an EventBridge event is not URL-encoded, unlike that of an S3 notification:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lambdas.shared.errors import MalformedEventError

RAW_PREFIX = "raw/"
# Below a data set's folder. Monitors write there; see the monitoring stack.
CAPTURED_PREFIX = "captured/"
# Data set of a file that lies directly under raw/, in no data set's folder.
NO_DATASET = "unknown"

# What S3 copies in one request, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
LARGEST_COPY = 5 * 1024**3

# A key has at most 1024 bytes. Quoting can triple a name, so a long one is cut, and its hash keeps it unique.
_LONGEST_NAME = 600


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one object under raw/.

    `size` in bytes; `sequencer` orders the events of one key, and may be empty.
    """

    bucket: str
    key: str
    version_id: str
    size: int
    sequencer: str = ""

    @property
    def dataset(self) -> str:
        """The folder under raw/ that the file lies in."""
        folder, separator, _ = self.key.removeprefix(RAW_PREFIX).partition("/")
        return folder if separator and folder else NO_DATASET

    @property
    def name(self) -> str:
        """The key below the data set's folder; may hold further slashes."""
        rest = self.key.removeprefix(RAW_PREFIX)
        return rest.partition("/")[2] if "/" in rest else rest

    @property
    def is_captured(self) -> bool:
        """Whether a monitor wrote it: requests of production with their labels."""
        return self.name.startswith(CAPTURED_PREFIX)

    @property
    def is_folder(self) -> bool:
        """Whether this is the empty object that the S3 console makes for a folder."""
        return self.key.endswith("/") and self.size == 0

    @property
    def record_key(self) -> str:
        """Where the acceptance record of this raw key lies."""
        return f"{records_prefix(self.dataset)}{_quoted(self.key)}.json"

    @property
    def quarantine_prefix(self) -> str:
        """Where this version and its report lie if it is refused; ends with a slash."""
        return f"quarantine/{_quoted(self.dataset)}/{_quoted(self.name)}/{self.version_id}/"


def records_prefix(dataset: str) -> str:
    """Where the acceptance records of a data set lie; ends with a slash."""
    return f"snapshots/{dataset}/files/"


def parse_upload(event: Mapping[str, Any]) -> Upload:
    """The upload that an EventBridge event of S3 reports; MalformedEventError when it reports none."""
    detail: Any = event.get("detail")
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        raise MalformedEventError(
            f"expected an S3 Object Created event, got {event.get('source')!r} {event.get('detail-type')!r}; "
            "correct the pattern of the EventBridge rule"
        )
    try:
        bucket, entry = detail["bucket"]["name"], detail["object"]
        key, version_id = entry["key"], entry.get("version-id", "")
        size, sequencer = int(entry.get("size", 0)), str(entry.get("sequencer", ""))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedEventError(f"the S3 event lacks a field or has it in another form: {error!r}") from error
    if not all(isinstance(text, str) and text for text in (bucket, key)):
        raise MalformedEventError("the S3 event names no bucket or no key")
    if not isinstance(version_id, str) or not version_id:
        raise MalformedEventError(
            f"the S3 event for {key!r} has no version-id: switch on versioning of the bucket {bucket}, "
            "then upload the file again"
        )
    return Upload(bucket=bucket, key=key, version_id=version_id, size=size, sequencer=sequencer)


def _quoted(text: str) -> str:
    """`text` as one segment of a key."""
    quoted = quote(text, safe="")
    if not quoted.strip("."):
        # "." and ".." would be taken for folders by tools that copy a bucket to a disk.
        quoted = "%2E" * len(quoted)
    if len(quoted) <= _LONGEST_NAME:
        return quoted
    return f"{quoted[:_LONGEST_NAME]}-{hashlib.sha256(text.encode()).hexdigest()}"
