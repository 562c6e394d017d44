"""What is read of a captured event, and where it stands.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.columns import without_empty

# All are text. `id` is the caller's inference id if there is one: labels refer to it. `input` and `output`, the
# payloads, are lines (payload_lines.py).
EVENT_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "time", "input", "input_encoding", "output", "output_encoding")]
)
# Inference ids of the requests with which a release tries an endpoint: a few records many times over, from nobody.
VERIFICATION = "cd4ml-verification-"
NO_EVENTS = pa.RecordBatch.from_pylist([], schema=EVENT_SCHEMA)
INPUT, OUTPUT, BATCH_OUTPUT = "endpointInput", "endpointOutput", "batchTransformOutput"
FIELD_PATHS = {
    ("eventMetadata", "eventId"): "event_id",
    ("eventMetadata", "inferenceId"): "inference_id",
    ("eventMetadata", "inferenceTime"): "time",
    ("captureData", INPUT, "data"): "input",
    ("captureData", INPUT, "encoding"): "input_encoding",
    ("captureData", OUTPUT, "data"): "output",
    ("captureData", OUTPUT, "encoding"): "output_encoding",
    ("captureData", BATCH_OUTPUT, "data"): "output",
    ("captureData", BATCH_OUTPUT, "encoding"): "output_encoding",
}


def event_key(event_ids: Any, inference_ids: Any) -> Any:
    """The id that labels refer to, for two string arrays: the caller's, or where that is null or empty SageMaker's."""
    return pc.coalesce(without_empty(inference_ids), event_ids)
