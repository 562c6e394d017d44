"""Turns what a child process writes into lines of text that a log can hold, whatever the child writes."""

import codecs
from collections.abc import Callable

LINE_LIMIT = 256 * 1024 - 26
"""Characters after which a line is broken: what one CloudWatch Logs event holds."""


class LineSplitter:
    """Cuts a byte stream into lines of text of at most LINE_LIMIT characters."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pending = ""

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Pass on every line that `data` completes; with `final`, the unfinished last one too."""
        *lines, self._pending = (self._pending + self._decoder.decode(data, final)).split("\n")
        for line in lines:
            self._pass_on(line.removesuffix("\r"))
        while len(self._pending) > LINE_LIMIT:
            self._on_line(self._pending[:LINE_LIMIT])
            self._pending = self._pending[LINE_LIMIT:]
        if final and self._pending:
            self._on_line(self._pending)
            self._pending = ""

    def _pass_on(self, line: str) -> None:
        for start in range(0, max(len(line), 1), LINE_LIMIT):
            self._on_line(line[start : start + LINE_LIMIT])
