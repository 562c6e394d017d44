"""Data capture: what is captured of a request, as the one JSON line that Model Monitor reads.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
Plain data: nothing is written here.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class CaptureSettings:
    """A DataCaptureConfig that is switched on. `share` is 0 to 1; content types are in lower case."""

    share: float
    bucket: str
    prefix: str
    kms_key_id: str | None
    takes_input: bool
    takes_output: bool
    csv_types: frozenset[str]
    json_types: frozenset[str]


@dataclass(frozen=True)
class CapturedCall:
    """One request and its answer. `moment` is when the request came (UTC)."""

    moment: datetime
    body: bytes
    content_type: str | None
    answer: bytes
    answer_content_type: str | None
    inference_id: str | None = None
    custom_attributes: str | None = None
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def answered(self, body: bytes, content_type: str | None) -> "CapturedCall":
        """The call with its answer, as an event of its own."""
        return replace(self, answer=body, answer_content_type=content_type, event_id=str(uuid.uuid4()))


def capture_settings(config: Mapping[str, Any] | None) -> CaptureSettings | None:
    """The settings of a DataCaptureConfig; None if there is none, or if it is switched off."""
    if not config or not config.get("EnableCapture", True):
        return None
    bucket, _, prefix = config["DestinationS3Uri"].removeprefix("s3://").partition("/")
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    headers = config.get("CaptureContentTypeHeader", {})
    return CaptureSettings(
        share=config["InitialSamplingPercentage"] / 100,
        bucket=bucket,
        prefix=prefix.strip("/"),
        kms_key_id=config.get("KmsKeyId") or None,
        takes_input=bool(modes & {"Input", "InputAndOutput"}),
        takes_output=bool(modes & {"Output", "InputAndOutput"}),
        csv_types=frozenset(name.lower() for name in headers.get("CsvContentTypes", ())),
        json_types=frozenset(name.lower() for name in headers.get("JsonContentTypes", ())),
    )


def capture_line(settings: CaptureSettings, call: CapturedCall) -> str:
    """One event as a complete line of JSON, with its newline."""
    data: dict[str, Any] = {}
    if settings.takes_input:
        data["endpointInput"] = _side(settings, "INPUT", call.body, call.content_type)
    if settings.takes_output:
        data["endpointOutput"] = _side(settings, "OUTPUT", call.answer, call.answer_content_type)
    metadata: dict[str, Any] = {"eventId": call.event_id}
    if call.inference_id:
        metadata["inferenceId"] = call.inference_id
    if call.custom_attributes:
        metadata["customAttributes"] = [call.custom_attributes]
    metadata["inferenceTime"] = call.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"


def object_key(settings: CaptureSettings, *, endpoint: str, variant: str, moment: datetime) -> str:
    """`<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/mm-ss-mmm-<uuid>.jsonl`, by the UTC time of the first request."""
    utc = moment.astimezone(UTC)
    hour = utc.strftime("%Y/%m/%d/%H")
    file = f"{utc:%M-%S}-{utc.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    return "/".join(part for part in (settings.prefix, endpoint, variant, hour, file) if part)


def _side(settings: CaptureSettings, mode: str, body: bytes, content_type: str | None) -> dict[str, Any]:
    """Text of the listed content types as it is; everything else (and what is no UTF-8) in Base64."""
    kind = (content_type or "").split(";")[0].strip().lower()
    encoding = "CSV" if kind in settings.csv_types else "JSON" if kind in settings.json_types else "BASE64"
    try:
        data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
