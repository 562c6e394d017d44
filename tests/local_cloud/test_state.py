"""The state directory: one server at a time, and what a killed one leaves."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from local_cloud.atomic_files import write_atomically
from local_cloud.process_identity import process_start
from local_cloud.sagemaker.pipelines.journal import Journal
from local_cloud.state import StateDirectory, StateError
from tests.waiting import LIMIT_SECONDS

EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/cars/execution/abc{}"

SERVER = """
    import sys, time
    from pathlib import Path
    from local_cloud.processes import ProcessSpec, ProcessTable
    from local_cloud.sagemaker.pipelines.journal import Journal
    from local_cloud.state import StateDirectory

    state = StateDirectory(Path(sys.argv[1]))
    with state.claim(port=1) as news:
        Journal(state.journal).open(sys.argv[2].format(1))
        print("ready", *news, sep="|", flush=True)
        time.sleep(60)
"""


def start_server(folder: Path) -> "subprocess.Popen[str]":
    """A process that claims a state directory and has one pipeline execution open."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER), str(folder), EXECUTION],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_claim_names_the_server_and_ends_with_it(tmp_path: Path) -> None:
    """While it lasts, others find the server; afterwards nothing says that one was there."""
    state = StateDirectory(tmp_path / "state")
    assert state.server() is None
    assert not state.claimed
    with state.claim(port=5055) as news:
        server = state.server()
        assert server is not None
        assert (server.pid, server.port, server.url) == (os.getpid(), 5055, "http://127.0.0.1:5055")
        assert news == ()
        assert state.claimed
        Journal(state.journal).open(EXECUTION)
    assert state.server() is None
    assert not state.claimed
    with state.claim(port=5055) as news:
        assert news == (), "an orderly end leaves nothing to report"


def test_two_servers_never_share_a_directory(tmp_path: Path) -> None:
    """The second one is told who holds it and what to do; the first is not disturbed."""
    with start_server(tmp_path) as first:
        assert first.stdout is not None
        first.stdout.readline()
        state = StateDirectory(tmp_path)
        with (
            pytest.raises(
                StateError, match=rf"already runs in .* \(pid {first.pid}, http://127.0.0.1:1\); stop it with"
            ),
            state.claim(port=2),
        ):
            pytest.fail("both hold it")
        server = state.server()
        assert server is not None
        assert server.pid == first.pid
        first.kill()


def test_looking_does_not_keep_a_server_out(tmp_path: Path) -> None:
    """`up` looks again and again whether the directory is claimed, while the server that it started claims it."""
    with (tmp_path / "lock").open("a") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        timer = threading.Timer(0.05, fcntl.flock, [look, fcntl.LOCK_UN])
        timer.start()
        with StateDirectory(tmp_path).claim(port=1):
            timer.join()


def test_a_killed_server_is_reported_and_cleaned_up(tmp_path: Path) -> None:
    """The next server says who was killed in the middle of what, and starts without its files and processes."""
    with start_server(tmp_path) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        server.kill()
    state = StateDirectory(tmp_path)
    (tmp_path / "jobs" / "job-1").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as orphan:
        record = {"pid": orphan.pid, "start": process_start(orphan.pid), "command": "sleep 60"}
        write_atomically(tmp_path / "processes" / f"{orphan.pid}.json", json.dumps(record))
        assert state.server() is None, "a record alone is no server"
        with state.claim(port=2) as news:
            assert news == (
                f"the previous local cloud (pid {server.pid}) was killed while 1 pipeline execution was running: "
                "cars/execution/abc1; starting clean",
                f"ended a process that it had left behind: sleep 60 (pid {orphan.pid})",
            )
            found = state.server()
            assert found is not None
            assert found.news == news
            assert not (tmp_path / "jobs").exists()
            assert not state.journal.exists()
            assert (tmp_path / "images").exists(), "images are content, not state"
        assert orphan.wait(LIMIT_SECONDS) == -signal.SIGKILL


def test_many_executions_are_counted_not_listed(tmp_path: Path) -> None:
    """The message stays one that people read."""
    write_atomically(tmp_path / "server.json", json.dumps({"pid": 1, "port": 1, "start": "long ago", "news": []}))
    journal = Journal(StateDirectory(tmp_path).journal)
    for number in range(7):
        journal.open(EXECUTION.format(number))
    with StateDirectory(tmp_path).claim(port=2) as news:
        assert "while 7 pipeline executions were running: cars/execution/abc0, " in news[0]
        assert "abc4, ...; starting clean" in news[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "null"])
def test_a_broken_record_is_no_server(tmp_path: Path, text: str) -> None:
    """A file that a full disk cut short must not keep the local cloud from starting."""
    (tmp_path / "server.json").write_text(text)
    state = StateDirectory(tmp_path)
    write_atomically(state.journal, text)
    assert state.server() is None
    with state.claim(port=1):
        assert state.server() is not None


def test_a_reused_pid_is_not_the_server(tmp_path: Path) -> None:
    """A pid that another process got meanwhile must be neither believed nor signalled."""
    record = {"pid": os.getpid(), "port": 1, "start": "another start", "news": []}
    (tmp_path / "server.json").write_text(json.dumps(record))
    assert StateDirectory(tmp_path).server() is None
