"""Child processes: real ones, with real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.process_identity import is_alive, process_start
from local_cloud.process_output import LINE_LIMIT, LineSplitter
from local_cloud.processes import ProcessEnd, ProcessError, ProcessResult, ProcessSpec, ProcessTable
from tests.waiting import LIMIT_SECONDS, wait_for

MEBIBYTE = 1024 * 1024


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ProcessTable]:
    """A table whose children are all gone when the test ends."""
    table = ProcessTable(tmp_path / "state")
    yield table
    table.stop_all(grace_seconds=0)


def python(code: str, folder: Path, **limits: float | int | None) -> ProcessSpec:
    """A command that runs `code`."""
    arguments = (sys.executable, "-I", "-S", "-c", textwrap.dedent(code))
    return ProcessSpec(arguments, environment={}, working_directory=folder, **limits)  # type: ignore[arg-type]


def run(table: ProcessTable, spec: ProcessSpec) -> tuple[ProcessResult, list[str]]:
    """The result and the lines of a command."""
    lines: list[str] = []
    return table.start(spec, on_line=lines.append).wait(LIMIT_SECONDS), lines


def test_output_and_exit_code_of_a_command(table: ProcessTable, tmp_path: Path) -> None:
    """Both output streams arrive in the order in which they were written, before the result is there."""
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    assert run(table, python(code, tmp_path)) == (ProcessResult(3, ProcessEnd.EXITED), ["out", "err"])


def test_the_child_gets_exactly_the_given_environment(
    table: ProcessTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the server's own environment reaches a job, which could otherwise use the user's credentials."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real one")
    spec = ProcessSpec(("/usr/bin/env",), environment={"ONLY": "this\nand that"}, working_directory=tmp_path)
    assert run(table, spec)[1] == ["ONLY=this", "and that"]


def test_no_open_file_of_the_server_reaches_the_child(table: ProcessTable, tmp_path: Path) -> None:
    """A leaked descriptor could hold the server's sockets, or another child's supervisor, open."""
    lines = run(table, python("import os; print(sorted(map(int, os.listdir('/dev/fd'))))", tmp_path))[1]
    assert len(json.loads(lines[0])) <= 4  # 0, 1, 2 and that of the listing itself


def test_a_passed_descriptor_is_a_channel(table: ProcessTable, tmp_path: Path) -> None:
    """A Lambda worker answers on a socket of its own, beside its log."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            fd = theirs.fileno()
            code = f"import os; os.write({fd}, b'answer:' + os.read({fd}, 9)); os.close({fd}); input()"
            process = table.start(python(code, tmp_path), pass_fds=[fd], pipe_stdin=True)
        ours.sendall(b"question")
        assert ours.recv(99) == b"answer:question"
        ours.settimeout(LIMIT_SECONDS)
        assert ours.recv(99) == b"", "the supervisor must not hold the channel open"
        assert process.running


def test_standard_input_is_empty_or_a_pipe(table: ProcessTable, tmp_path: Path) -> None:
    """A command that asks for input ends instead of waiting for somebody at a keyboard."""
    code = "import sys; print(repr(sys.stdin.read()))"
    assert run(table, python(code, tmp_path))[1] == ["''"]
    lines: list[str] = []
    process = table.start(python(code, tmp_path), on_line=lines.append, pipe_stdin=True)
    assert process.stdin is not None
    process.stdin.write(b"hello")
    process.stdin.close()
    process.wait(LIMIT_SECONDS)
    assert lines == ["'hello'"]


def test_a_command_that_cannot_start_is_an_error_that_says_why(table: ProcessTable, tmp_path: Path) -> None:
    """Neither a missing program nor a missing folder ends as a mysterious exit code."""
    missing = ProcessSpec(("no-such-program",), environment={}, working_directory=tmp_path)
    with pytest.raises(ProcessError, match=r"cannot start no-such-program in .*: No such file"):
        table.start(missing)
    with pytest.raises(ProcessError, match="No such file"):
        table.start(python("", tmp_path / "nowhere"))


def test_time_limit(table: ProcessTable, tmp_path: Path) -> None:
    """A command is ended at its time limit, at once when no grace is given, even if it ignores SIGTERM."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    started = time.monotonic()
    result, _ = run(table, python(code, tmp_path, timeout_seconds=0.3))
    assert result == ProcessResult(128 + signal.SIGKILL, ProcessEnd.TIMED_OUT)
    assert 0.3 <= time.monotonic() - started < 10


def test_time_limit_with_grace(table: ProcessTable, tmp_path: Path) -> None:
    """With a grace, the command may save what it has; that it exits with 0 then does not hide the reason."""
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit(0)))
        time.sleep(60)
    """
    spec = python(code, tmp_path, timeout_seconds=2, timeout_grace_seconds=30)
    assert run(table, spec) == (ProcessResult(0, ProcessEnd.TIMED_OUT), ["saved"])


def test_memory_limit(table: ProcessTable, tmp_path: Path) -> None:
    """Memory that is really used counts, and the reason is told apart from any other kill."""
    spec = python(f"x = b'1' * {200 * MEBIBYTE}; input()", tmp_path, memory_bytes=100 * MEBIBYTE)
    lines: list[str] = []
    result = table.start(spec, on_line=lines.append, pipe_stdin=True).wait(LIMIT_SECONDS)
    assert result == ProcessResult(128 + signal.SIGKILL, ProcessEnd.OUT_OF_MEMORY)


def test_reserved_address_space_is_not_memory_in_use(table: ProcessTable, tmp_path: Path) -> None:
    """numpy and ONNX Runtime reserve far more than they touch; that must not end a job."""
    code = f"import mmap, time; x = mmap.mmap(-1, {4096 * MEBIBYTE}); time.sleep(0.3)"
    assert run(table, python(code, tmp_path, memory_bytes=100 * MEBIBYTE))[0].end is ProcessEnd.EXITED


def test_memory_of_descendants_counts(table: ProcessTable, tmp_path: Path) -> None:
    """A job cannot hide its memory in worker processes."""
    code = f"""
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                x = b"1" * {60 * MEBIBYTE}
                break
        time.sleep(60)
    """
    assert run(table, python(code, tmp_path, memory_bytes=120 * MEBIBYTE))[0].end is ProcessEnd.OUT_OF_MEMORY


def test_pages_shared_by_forked_workers_count_once(table: ProcessTable, tmp_path: Path) -> None:
    """Workers forked from a parent with data use its pages, not copies of them."""
    code = f"""
        import os, time
        x = b"1" * {60 * MEBIBYTE}
        for _ in range(3):
            if os.fork() == 0:
                break
        time.sleep(0.5)
    """
    assert run(table, python(code, tmp_path, memory_bytes=120 * MEBIBYTE))[0].end is ProcessEnd.EXITED


def test_a_kill_by_the_kernel_is_out_of_memory(table: ProcessTable, tmp_path: Path) -> None:
    """Nobody but the kernel's out-of-memory killer sends SIGKILL to a job that we did not end ourselves."""
    result, _ = run(table, python("import os; os.kill(os.getpid(), 9)", tmp_path))
    assert result == ProcessResult(137, ProcessEnd.OUT_OF_MEMORY)


def test_stop_asks_before_it_kills(table: ProcessTable, tmp_path: Path) -> None:
    """A stopped command may clean up; one that ignores the request is killed after the grace."""
    ready = threading.Event()
    polite = table.start(python("print(flush=True); input()", tmp_path), on_line=lambda _: ready.set(), pipe_stdin=True)
    assert ready.wait(LIMIT_SECONDS)
    assert polite.stop(grace_seconds=30) == ProcessResult(128 + signal.SIGTERM, ProcessEnd.STOPPED)

    ready.clear()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    stubborn = table.start(python(code, tmp_path), on_line=lambda _: ready.set())
    assert ready.wait(LIMIT_SECONDS)
    assert stubborn.stop(grace_seconds=0.1) == ProcessResult(128 + signal.SIGKILL, ProcessEnd.STOPPED)


def test_stopping_what_has_ended_changes_nothing(table: ProcessTable, tmp_path: Path) -> None:
    """The natural end and a stop may race; the result stays what it was."""
    process = table.start(python("", tmp_path))
    expected = process.wait(LIMIT_SECONDS)
    assert process.stop() == expected == ProcessResult(0, ProcessEnd.EXITED)


def test_wait_gives_up_without_harm(table: ProcessTable, tmp_path: Path) -> None:
    """A wait with a limit leaves the command alone."""
    process = table.start(python("input()", tmp_path), pipe_stdin=True)
    with pytest.raises(TimeoutError):
        process.wait(0.05)
    assert process.running


def test_stop_all_ends_everything_at_the_same_time(table: ProcessTable, tmp_path: Path) -> None:
    """The grace periods of many children do not add up at a reset."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    ready = threading.Semaphore(0)
    processes = [table.start(python(code, tmp_path), on_line=lambda _: ready.release()) for _ in range(6)]
    assert all(ready.acquire(timeout=LIMIT_SECONDS) for _ in processes)
    started = time.monotonic()
    table.stop_all(grace_seconds=1.5)
    assert time.monotonic() - started < 6 * 1.5
    assert not any(process.running for process in processes)


def test_grandchildren_end_with_the_command(table: ProcessTable, tmp_path: Path) -> None:
    """As in a container: when the main process ends, so does all it started, daemons in own sessions included."""
    code = """
        import os, time
        told, tell = os.pipe()
        for daemon in (False, True):
            if os.fork() == 0:
                if daemon:
                    os.setsid()
                print(os.getpid(), flush=True)
                os.write(tell, b".")
                time.sleep(60)
            os.read(told, 1)
    """
    result, lines = run(table, python(code, tmp_path))
    assert result.exit_code == 0
    assert len(lines) == 2
    wait_for(lambda: all(process_start(int(line)) is None for line in lines), what="the grandchildren to end")


def test_a_flood_of_output_arrives_whole(table: ProcessTable, tmp_path: Path) -> None:
    """A slow reader slows the command down; nothing is dropped."""
    count = 200_000
    result, lines = run(table, python(f"for number in range({count}): print(number)", tmp_path))
    assert result.exit_code == 0
    assert lines == [str(number) for number in range(count)]


def test_a_failing_listener_does_not_block_the_command(table: ProcessTable, tmp_path: Path) -> None:
    """The output is read on even if nobody can use it, or the child would hang on a full pipe."""

    def listener(line: str) -> None:
        raise ValueError(line)

    process = table.start(python("print('x\\n' * 100_000)", tmp_path), on_line=listener)
    assert process.wait(LIMIT_SECONDS).exit_code == 0


def test_a_dead_supervisor_takes_the_command_with_it(table: ProcessTable, tmp_path: Path) -> None:
    """If the supervisor itself is killed, nothing runs on unbounded and unseen."""
    process = table.start(python("print(flush=True); input()", tmp_path), pipe_stdin=True)
    supervisor = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout
    os.kill(int(supervisor), signal.SIGKILL)
    assert process.wait(LIMIT_SECONDS).exit_code == 137
    wait_for(lambda: process_start(process.pid) is None, what="the command to end")


SERVER = """
    import sys
    from pathlib import Path
    from local_cloud.processes import ProcessSpec, ProcessTable

    child = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(60)"
    spec = ProcessSpec((sys.executable, "-I", "-S", "-c", child), {}, Path.cwd())
    ProcessTable(Path.cwd()).start(spec, on_line=lambda line: print(line, flush=True)).wait()
"""


def test_children_die_with_a_killed_server(tmp_path: Path) -> None:
    """SIGKILL of the server, which it cannot see coming, ends its children and grandchildren."""
    server = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout is not None
        pids = [int(server.stdout.readline()), int(server.stdout.readline())]
        starts = [process_start(pid) for pid in pids]
        assert all(starts)
        server.kill()
    children = zip(pids, starts, strict=True)
    wait_for(lambda: not any(is_alive(pid, start or "") for pid, start in list(children)), what="the children to end")


def test_leftovers_of_a_former_server_are_found_by_pid_and_start(tmp_path: Path) -> None:
    """Only the recorded process is killed, never a stranger that was given its pid since."""
    records = tmp_path / "processes"
    records.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as orphan:
        record = {"pid": orphan.pid, "start": process_start(orphan.pid), "command": "sleep 60"}
        (records / f"{orphan.pid}.json").write_text(json.dumps(record))
        (records / "1.json").write_text(json.dumps({"pid": os.getpid(), "start": "long ago", "command": "stranger"}))
        (records / "2.json").write_text('{"pid": 1')
        assert ProcessTable(tmp_path).kill_leftovers() == [f"sleep 60 (pid {orphan.pid})"]
        assert orphan.wait(LIMIT_SECONDS) == -signal.SIGKILL
    assert list(records.iterdir()) == []


def test_records_last_as_long_as_the_process(table: ProcessTable, tmp_path: Path) -> None:
    """After an orderly end there is nothing left for the next server to look at."""
    process = table.start(python("input()", tmp_path), pipe_stdin=True)
    record = tmp_path / "state" / "processes" / f"{process.pid}.json"
    assert json.loads(record.read_text())["start"] == process_start(process.pid)
    process.stop()
    assert not record.exists()


def test_lines_are_bounded_and_always_text() -> None:
    """Bytes that are no UTF-8, lines without an end and Windows line ends all become lines that a log can hold."""
    lines: list[str] = []
    splitter = LineSplitter(lines.append)
    for data in (b"caf\xc3", b"\xa9\r\nbad \xff\n\n", b"x" * (2 * LINE_LIMIT + 1)):
        splitter.feed(data)
    splitter.feed(b"", final=True)
    assert lines[:3] == ["café", "bad \ufffd", ""]
    assert [len(line) for line in lines[3:]] == [LINE_LIMIT, LINE_LIMIT, 1]
