"""The local cloud's folder on disk: which server runs in it, and what a server that was killed left behind.

`.local-cloud/` holds: server.json (pid, port, start), server.log, lock, docker (the stand-in), images/, jobs/,
functions/, processes/, sagemaker/. A server holds the lock for as long as it lives: the operating system gives it
back however the server ends, so two servers never share a folder, and no stale lock has to be removed.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from local_cloud.atomic_files import write_atomically
from local_cloud.errors import LocalCloudError
from local_cloud.process_identity import is_alive, process_start
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.pipelines.journal import Journal

DEFAULT_DIRECTORY = Path(".local-cloud")
DIRECTORY_VARIABLE = "LOCAL_CLOUD_STATE_DIR"
_RUN_FOLDERS = ("jobs", "functions", "processes", "sagemaker")
_SHOWN_EXECUTIONS = 5
_LOCK_TRIES = 10


class StateError(LocalCloudError):
    """A state directory that cannot be used."""


@dataclass(frozen=True)
class ServerRecord:
    """server.json.

    `start` tells the process apart from a later one with the same pid; `news` is what the server had to say about
    the one before it.
    """

    pid: int
    port: int
    start: str
    news: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return is_alive(self.pid, self.start)


class StateDirectory:
    """One state directory. Reading it never changes it; only `claim` does."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.path / "server.log"

    @property
    def journal(self) -> Path:
        """Which pipeline executions have not ended (see `sagemaker/pipelines/journal.py`)."""
        return self.path / "sagemaker" / "executions.json"

    def server(self) -> ServerRecord | None:
        """The server that runs here; None if there is none (a record of a dead one does not count)."""
        record = self._record()
        return record if record is not None and record.alive else None

    @property
    def claimed(self) -> bool:
        """Whether a server holds this directory, be it one that is just starting."""
        try:
            with (self.path / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def claim(self, *, port: int) -> Iterator[tuple[str, ...]]:
        """Be the server of this directory while the context lasts; yields what there is to say about a former one.

        Leftovers of a server that was killed are removed first. Raises StateError if a server runs here already.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a") as lock:
            if not _lock(lock):
                raise StateError(self._taken())
            news = self._clean_up()
            record = ServerRecord(pid=os.getpid(), port=port, start=process_start(os.getpid()) or "", news=news)
            write_atomically(self.path / "server.json", json.dumps(asdict(record)))
            try:
                yield news
            finally:
                # What was running has been stopped in an orderly way: nobody has to hear of it at the next start.
                self.journal.unlink(missing_ok=True)
                (self.path / "server.json").unlink(missing_ok=True)

    def _taken(self) -> str:
        record = self._record()
        who = f" (pid {record.pid}, {record.url})" if record else ""
        return (
            f"a local cloud already runs in {self.path}{who}; stop it with `python -m local_cloud down`, "
            "or use another --state-dir"
        )

    def _record(self) -> ServerRecord | None:
        try:
            content = json.loads((self.path / "server.json").read_text())
            news = tuple(map(str, content["news"]))
            return ServerRecord(int(content["pid"]), int(content["port"]), str(content["start"]), news)
        except (OSError, KeyError, TypeError, ValueError):
            return None  # none was written, or only half of it

    def _clean_up(self) -> tuple[str, ...]:
        """Remove what a killed server left; the lines that tell of it."""
        former = self._record()
        killed = ProcessTable(self.path).kill_leftovers()
        news = []
        if former is not None or killed:
            who = f"the previous local cloud (pid {former.pid})" if former else "a previous local cloud"
            news.append(f"{who} was killed{self._unfinished()}; starting clean")
        news += [f"ended a process that it had left behind: {command}" for command in killed]
        for name in _RUN_FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        return tuple(news)

    def _unfinished(self) -> str:
        executions = Journal(self.journal).unfinished()
        if not executions:
            return ""
        names = ["/".join(arn.split("/")[1:]) or arn for arn in executions[:_SHOWN_EXECUTIONS]]
        more = ", ..." if len(executions) > _SHOWN_EXECUTIONS else ""
        plural = "s were" if len(executions) > 1 else " was"
        return f" while {len(executions)} pipeline execution{plural} running: {', '.join(names)}{more}"


def _lock(stream: IO[str]) -> bool:
    """Whether the lock could be had; somebody who only looks (`claimed`) holds it for a moment."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)  # waiting for the lock instead would wait for a running server, too
        else:
            return True
    return False
