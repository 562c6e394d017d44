"""Structured logs: one JSON object per line on standard output, which SageMaker puts into CloudWatch Logs."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, message, and what the caller gives as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a stack trace is a field of it."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure_logging() -> None:
    """Send this server's messages, and the warnings of what it runs on, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("model_server").setLevel(logging.INFO)
