"""Capture for hosts without DataCaptureConfig (serverless and asynchronous endpoints, Lambda): SageMaker's own files.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
Must not sample or send anything: it writes below a folder, which the host copies to S3 as it is.
"""

import base64
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ENCODINGS = {
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/jsonlines": "JSON",
    "application/x-jsonlines": "JSON",
}


@dataclass(frozen=True)
class Payload:
    """A request's or an answer's body with its Content-Type."""

    body: bytes
    content_type: str | None


@dataclass(frozen=True, kw_only=True)
class CapturedCall:
    """One call: `time` is when the request came (with a zone). A side that should not be kept is None."""

    time: datetime
    input: Payload | None
    output: Payload | None
    inference_id: str | None = None
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class CaptureWriter:
    """Writes calls of one variant to `<folder>/<endpoint>/<variant>/yyyy/mm/dd/hh/<mm-ss-mmm>-<uuid>.jsonl`.

    One file per hour and writer; each call is a complete line once `write` returns. Not thread-safe.
    """

    def __init__(self, folder: Path, *, endpoint: str, variant: str) -> None:
        self._base = folder / endpoint / variant
        self._hour = ""
        self._file = self._base

    def write(self, call: CapturedCall) -> Path:
        """Append a call to the file of its hour, and return that file."""
        time = call.time.astimezone(UTC)
        hour = time.strftime("%Y/%m/%d/%H")
        if hour != self._hour:
            self._hour = hour
            self._file = self._base / hour / f"{time:%M-%S}-{time.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as stream:
            stream.write(capture_line(call).encode())
        return self._file


def capture_line(call: CapturedCall) -> str:
    """The event of a call as one line of JSON with its newline."""
    data = {}
    if call.input is not None:
        data["endpointInput"] = _side("INPUT", call.input)
    if call.output is not None:
        data["endpointOutput"] = _side("OUTPUT", call.output)
    metadata = {"eventId": call.event_id}
    if call.inference_id:
        metadata["inferenceId"] = call.inference_id
    metadata["inferenceTime"] = call.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(event, separators=(",", ":")) + "\n"


def _side(mode: str, payload: Payload) -> dict[str, Any]:
    """Text of the known content types as it is; everything else, and what is not UTF-8, in Base64."""
    kind = (payload.content_type or "").split(";")[0].strip().lower()
    encoding = _ENCODINGS.get(kind, "BASE64")
    try:
        data = payload.body.decode() if encoding != "BASE64" else base64.b64encode(payload.body).decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(payload.body).decode()
    return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}
