"""The command line against a small stand-in for the server: what it prints, how it ends, what it leaves."""

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.cli import lifecycle
from local_cloud.cli.main import build_parser, main
from local_cloud.cli.show import parse_age
from local_cloud.cli.variables import server_variables, shell_lines
from local_cloud.process_identity import process_start
from local_cloud.state import ServerRecord, StateDirectory
from tests.waiting import LIMIT_SECONDS, wait_for

SERVER = """
    import http.server, json, os, signal, sys, time
    from pathlib import Path
    from local_cloud.state import StateDirectory

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"pid": os.getpid()}).encode())
        do_POST = do_GET

    def stop(*_):
        raise SystemExit

    mode, _, port, _, folder = sys.argv[1:6]
    if mode == "broken":
        sys.exit("error: something is wrong")
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, stop)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Pages)
    with StateDirectory(Path(folder)).claim(port=server.server_address[1]):
        server.serve_forever()
"""


@pytest.fixture
def server_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Chooses how the stand-in for the server behaves: healthy, broken or stubborn."""
    script = tmp_path / "server.py"
    script.write_text(textwrap.dedent(SERVER))

    def choose(mode: str) -> None:
        monkeypatch.setattr(lifecycle, "SERVER_COMMAND", (sys.executable, str(script), mode))

    choose("healthy")
    return choose


@pytest.fixture
def state(tmp_path: Path, server_script: Callable[[str], None]) -> Iterator[StateDirectory]:
    """A state directory in which no server is left at the end."""
    state = StateDirectory(tmp_path / "state")
    yield state
    server = state.server()
    if server is not None:
        os.kill(server.pid, signal.SIGKILL)


def call(state: StateDirectory, *arguments: str) -> int:
    """One command for this state directory."""
    return main([*arguments, "--state-dir", str(state.path)])


def running(state: StateDirectory) -> ServerRecord:
    """The server, which must run."""
    server = state.server()
    assert server is not None
    return server


def test_up_prints_what_a_shell_needs(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds exports and nothing else; `env` prints the same again."""
    assert call(state, "up", "--port", "0") == 0
    server = running(state)
    shown = capsys.readouterr()
    variables = dict(shlex.split(line)[1].split("=", 1) for line in shown.out.splitlines() if line.startswith("export"))
    assert all(line.startswith(("export ", "unset ")) for line in shown.out.splitlines())
    assert variables["AWS_ENDPOINT_URL"] == server.url
    assert variables["AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION"] == "https://s3.us-east-1.amazonaws.com"
    assert os.access(variables["CDK_DOCKER"], os.X_OK)
    assert "the local cloud is up" in shown.err
    assert call(state, "env") == 0
    assert capsys.readouterr().out == shown.out


def test_up_when_it_is_up(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """A second `up` is no error and starts nothing."""
    call(state, "up", "--port", "0")
    first = running(state)
    assert call(state, "up", "--port", "0") == 0
    assert running(state) == first
    assert f"already up: {first.url} (pid {first.pid})" in capsys.readouterr().err


def test_two_ups_at_once_start_one_server(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both commands succeed and lead to the same server; the other one that was started is gone."""
    results: list[int] = []
    started: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen.__init__

    def remember(process: "subprocess.Popen[bytes]", *arguments: Any, **options: Any) -> None:
        started.append(process)
        original(process, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", remember)
    threads = [threading.Thread(target=lambda: results.append(call(state, "up", "--port", "0"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0, 0]
    shown = capsys.readouterr().out.splitlines()
    assert len({line for line in shown if "AWS_ENDPOINT_URL=" in line}) == 1
    assert [process.pid for process in started if process.poll() is None] == [running(state).pid]


def test_a_taken_port_is_said_before_anything_starts(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the port and the way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert call(state, "up", "--port", str(port)) == 1
    error = capsys.readouterr().err
    assert f"error: port {port} on 127.0.0.1 cannot be used" in error
    assert "--port 0" in error
    assert not state.path.exists()


def test_a_server_that_does_not_start_shows_its_last_words(
    state: StateDirectory, server_script: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """People see the reason without having to look for a log."""
    server_script("broken")
    assert call(state, "up", "--port", "0") == 1
    assert "ended while it started" in (error := capsys.readouterr().err)
    assert "  error: something is wrong" in error


def test_a_start_that_takes_too_long_is_ended(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No half-started server stays behind."""
    monkeypatch.setattr(lifecycle, "is_healthy", lambda _: False)
    monkeypatch.setattr(lifecycle, "START_LIMIT_SECONDS", 1.0)
    assert call(state, "up", "--port", "0") == 1
    assert "did not answer for 1 s" in capsys.readouterr().err
    assert not state.claimed


def test_a_killed_server_is_mentioned_by_the_next_up(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever comes back learns why everything is gone."""
    call(state, "up", "--port", "0")
    first = running(state)
    os.kill(first.pid, signal.SIGKILL)
    # The kernel gives the lock back when it has ended the process.
    wait_for(lambda: not state.claimed, what="the server to be gone")
    assert call(state, "up", "--port", "0") == 0
    assert f"the previous local cloud (pid {first.pid}) was killed; starting clean" in capsys.readouterr().err


def test_down_stops_and_says_so(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing runs afterwards, and a second `down` is no error."""
    call(state, "up", "--port", "0")
    server = running(state)
    assert call(state, "down") == 0
    assert f"stopped the local cloud (pid {server.pid})" in capsys.readouterr().err
    assert process_start(server.pid) is None
    assert call(state, "down") == 0
    assert "no local cloud runs in" in capsys.readouterr().err


def test_down_kills_what_does_not_stop(
    state: StateDirectory,
    server_script: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`down` always ends with the server gone."""
    server_script("stubborn")
    monkeypatch.setattr(lifecycle, "STOP_LIMIT_SECONDS", 0.2)
    call(state, "up", "--port", "0")
    server = running(state)
    assert call(state, "down") == 0
    assert "did not stop within 0 s and was killed" in capsys.readouterr().err
    assert process_start(server.pid) is None


@pytest.mark.parametrize("command", [["env"], ["status"], ["reset"], ["logs", "/aws/x"]])
def test_commands_that_need_a_server_say_so(
    state: StateDirectory, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with the command that starts it."""
    assert call(state, *command) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"error: no local cloud runs in {state.path}; start it with: python -m local_cloud up\n"


def test_reset_and_logs(state: StateDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """reset reports what it did; logs prints what the server wrote."""
    assert call(state, "logs") == 1
    assert "there is no" in capsys.readouterr().err
    call(state, "up", "--port", "0")
    assert call(state, "reset") == 0
    assert "all resources are gone" in capsys.readouterr().err
    assert call(state, "logs") == 0
    assert "/moto-api/reset" in capsys.readouterr().out


def test_foreground_ends_with_ctrl_c(state: StateDirectory) -> None:
    """In the foreground the command is the server, and Ctrl-C its end."""
    code = f"""
        import sys
        from local_cloud.cli import lifecycle
        from local_cloud.cli.main import main
        lifecycle.SERVER_COMMAND = {lifecycle.SERVER_COMMAND!r}
        sys.exit(main(["up", "--foreground", "--port", "0", "--state-dir", {str(state.path)!r}]))
    """
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: state.server() or process.poll() is not None, what="the server's record")
    assert running(state).pid == process.pid
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT_SECONDS)
    assert state.server() is None


def test_ctrl_c_while_starting_leaves_nothing(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupted `up` exits with 130 and takes its server with it."""

    def interrupt(_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "is_healthy", interrupt)
    assert call(state, "up", "--port", "0") == 130
    assert "interrupted" in capsys.readouterr().err
    assert not state.claimed


def test_the_shell_forgets_what_would_lead_it_to_a_real_account() -> None:
    """A profile, a session token or a service's own endpoint would win over the variables that we set."""
    inherited = {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "https://x", "AWS_PAGER": "less", "AWS_REGION": "eu"}
    lines = shell_lines({"AWS_REGION": "us-east-1", "A": "b c"}, inherited=inherited)
    assert lines == [
        "unset AWS_ENDPOINT_URL_S3",
        "unset AWS_PROFILE",
        "export AWS_REGION=us-east-1",
        "export A='b c'",
    ]


def test_the_server_sees_no_aws_settings_of_the_user(tmp_path: Path) -> None:
    """Neither credentials nor profiles nor a proxy of the user's reach the server process."""
    inherited = {"AWS_PROFILE": "work", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/h", "HTTP_PROXY": "p", "NO_PROXY": "a"}
    variables = server_variables(inherited=inherited, runtime_directory=tmp_path)
    assert not {"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"} & variables.keys()
    assert variables["AWS_CONFIG_FILE"] == os.devnull
    assert (variables["HOME"], variables["NO_PROXY"]) == ("/h", "a,127.0.0.1,localhost")


def test_ages() -> None:
    """`--since` takes a number and a unit, and refuses anything else."""
    assert [parse_age(text) for text in ("30s", "10m", "2h", "1d")] == [30, 600, 7200, 86400]
    with pytest.raises(argparse.ArgumentTypeError, match="no age such as"):
        parse_age("yesterday")


@pytest.mark.parametrize("arguments", [[], ["explode"], ["up", "--port", "70000"], ["up", "--port", "x"]])
def test_wrong_use_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error is told apart from a failure, and starts nothing."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m local_cloud" in capsys.readouterr().err


def test_every_command_explains_itself() -> None:
    """`--help` lists each command with a sentence."""
    text = build_parser().format_help()
    for command in ("up", "env", "status", "logs", "reset", "down", "deploy", "image-environment", "coverage"):
        assert f"    {command} " in text or f"    {command}\n" in text
