"""Structured logging: one JSON object per line on standard output, which Lambda sends to CloudWatch Logs.

Must not log secrets: fields whose name sounds like one are masked.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

import json
import re
import sys

_SECRET_NAME = re.compile(r"secret|password|token|credential|authori[sz]ation|access_?key", re.IGNORECASE)


class JsonLog:
    """A log whose messages carry fields that Logs Insights can query. `function` names the writer."""

    def __init__(self, function: str) -> None:
        self._function = function

    def info(self, message: str, **fields: object) -> None:
        """Log that something happened as it should."""
        self._write("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Log something that the operator may want to look at."""
        self._write("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Log something that the operator has to look at."""
        self._write("ERROR", message, fields)

    def _write(self, level: str, message: str, fields: dict[str, object]) -> None:
        line: dict[str, object] = {"level": level, "function": self._function, "message": message}
        line |= {name: "(masked)" if _SECRET_NAME.search(name) else value for name, value in fields.items()}
        sys.stdout.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()
