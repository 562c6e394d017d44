"""What Lambda itself writes into a function's log around the function's own lines, in both of its formats.

Pure: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import json
import math
import sys
from datetime import UTC, datetime
from typing import Any

from local_cloud.functions.specification import FunctionSpec
from local_cloud.functions.worker import Answer, LogLine, now_ms

LOG_TAIL_BYTES = 4096
_WRITTEN_BY_THE_SERVICE = frozenset({"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"})


def invocation_lines(
    spec: FunctionSpec, answer: Answer, *, request_id: str, began_ms: int, init_ms: float | None
) -> tuple[LogLine, ...]:
    """The whole log of one invocation; `init_ms` is None on a warm start."""
    ended_ms = max(now_ms(), began_ms)
    before = [] if init_ms is None else [_init_start(spec, began_ms)]
    after = [] if spec.log_format == "JSON" else [(ended_ms, f"END RequestId: {request_id}")]
    if answer.error_type in _WRITTEN_BY_THE_SERVICE:
        message = json.loads(answer.payload)["errorMessage"]
        after.insert(0, (ended_ms, f"{message}\r{answer.error_type}"))
    report = _report(spec, answer, moment=ended_ms, request_id=request_id, init_ms=init_ms)
    return (*before, _start(spec, began_ms, request_id=request_id), *answer.lines, *after, report)


def log_tail(lines: tuple[LogLine, ...]) -> str:
    """The last 4 KB, as LogResult gives them."""
    text = "".join(f"{line}\n" for _, line in lines)
    return text.encode()[-LOG_TAIL_BYTES:].decode(errors="ignore")


def _init_start(spec: FunctionSpec, moment: int) -> LogLine:
    version = ".".join(map(str, sys.version_info[:3]))
    runtime = f"local cloud, Python {version} (the function asks for {spec.runtime})"
    if spec.log_format == "JSON":
        return _json_line(moment, "platform.initStart", {"runtimeVersion": runtime, "functionName": spec.name})
    return moment, f"INIT_START Runtime Version: {runtime}"


def _start(spec: FunctionSpec, moment: int, *, request_id: str) -> LogLine:
    if spec.log_format == "JSON":
        return _json_line(moment, "platform.start", {"requestId": request_id, "version": spec.version})
    return moment, f"START RequestId: {request_id} Version: {spec.version}"


def _report(spec: FunctionSpec, answer: Answer, *, moment: int, request_id: str, init_ms: float | None) -> LogLine:
    if spec.log_format == "JSON":
        return _json_report(spec, answer, moment=moment, request_id=request_id, init_ms=init_ms)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {answer.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(answer.duration_ms)} ms",
        f"Memory Size: {spec.memory_mb} MB",
        f"Max Memory Used: {answer.memory_mb} MB",
    ]
    if init_ms is not None:
        parts.append(f"Init Duration: {init_ms:.2f} ms")
    if answer.error_type in _WRITTEN_BY_THE_SERVICE:
        parts.append(f"Status: {_status(answer)}\tError Type: {answer.error_type}")
    return moment, "\t".join(parts)


def _json_report(spec: FunctionSpec, answer: Answer, *, moment: int, request_id: str, init_ms: float | None) -> LogLine:
    metrics: dict[str, Any] = {
        "durationMs": round(answer.duration_ms, 3),
        "billedDurationMs": math.ceil(answer.duration_ms),
        "memorySizeMB": spec.memory_mb,
        "maxMemoryUsedMB": answer.memory_mb,
    }
    if init_ms is not None:
        metrics["initDurationMs"] = round(init_ms, 3)
    record = {"requestId": request_id, "metrics": metrics, "status": _status(answer)}
    if answer.error_type is not None:
        record["errorType"] = answer.error_type
    return _json_line(moment, "platform.report", record)


def _status(answer: Answer) -> str:
    if answer.error_type is None:
        return "success"
    return "timeout" if answer.error_type == "Sandbox.Timedout" else "error"


def _json_line(moment: int, kind: str, record: dict[str, Any]) -> LogLine:
    time = datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return moment, json.dumps({"time": time, "type": kind, "record": record})
