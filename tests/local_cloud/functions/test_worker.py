"""The conversation with one worker process."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from local_cloud.functions.worker import Package, Worker
from local_cloud.processes import ProcessSpec, ProcessTable, RunningProcess
from tests.local_cloud.functions.fakes import function
from tests.waiting import LIMIT_SECONDS


class LateTable(ProcessTable):
    """Passes a process's output on only when `gate` is open, as a busy machine would."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.gate = threading.Event()
        self.gate.set()

    def start(
        self,
        spec: ProcessSpec,
        *,
        on_line: Callable[[str], None] | None = None,
        pipe_stdin: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> RunningProcess:
        def late(line: str) -> None:
            self.gate.wait(LIMIT_SECONDS)
            if on_line is not None:
                on_line(line)

        return super().start(spec, on_line=late, pipe_stdin=pipe_stdin, pass_fds=pass_fds)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[LateTable]:
    processes = LateTable(tmp_path / "processes")
    yield processes
    processes.stop_all(grace_seconds=0)


def start(table: LateTable, folder: Path, source: str) -> Worker:
    """A worker whose handler is loaded."""
    folder.mkdir()
    (folder / "handler.py").write_text(source)
    worker = Worker(function(source), Package(folder), processes=table, environment={}, scratch=folder.parent / "tmp")
    worker.initialize()
    return worker


def test_an_answer_waits_for_its_log(table: LateTable, tmp_path: Path) -> None:
    """Output that arrives later than the result still belongs to the invocation that wrote it."""
    worker = start(table, tmp_path / "code", "def handler(e, c):\n    print(e)\n")
    table.gate.clear()
    threading.Timer(0.1, table.gate.set).start()
    first, second = (worker.invoke(payload, request_id=f"request-{payload}") for payload in ("1", "2"))
    assert [[text for _, text in answer.lines] for answer in (first, second)] == [["1"], ["2"]]
    worker.stop()


def test_a_stopped_worker_leaves_no_files(table: LateTable, tmp_path: Path) -> None:
    """HOME and the temporary folder of a worker end with it."""
    source = "import pathlib, tempfile\ndef handler(e, c):\n    pathlib.Path(tempfile.mkdtemp(), 'x').touch()\n"
    worker = start(table, tmp_path / "code", source)
    assert worker.invoke("{}", request_id="r").error_type is None
    assert any((tmp_path / "tmp").rglob("x"))
    worker.stop()
    worker.stop()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not worker.usable
