"""up, down, reset and env: the life of the server process."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local_cloud.cli.control import is_healthy, request, running_server
from local_cloud.cli.errors import CommandError
from local_cloud.cli.variables import server_variables, shell_lines, user_variables
from local_cloud.process_identity import send_signal
from local_cloud.processes import ProcessTable
from local_cloud.runtime_environments import default_directory
from local_cloud.state import ServerRecord, StateDirectory

SERVER_COMMAND = (sys.executable, "-m", "local_cloud.server")
START_LIMIT_SECONDS = 90.0
STOP_LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15


def up(options: argparse.Namespace) -> int:
    """Start the server, or find that it runs; print the variables that lead to it."""
    state = StateDirectory(options.state_dir)
    if state.server() is not None or state.claimed:
        server = _await_health(state, process=None)
        _say(f"the local cloud is already up: {server.url} (pid {server.pid})")
    elif options.foreground:
        return _become_server(state, options)
    else:
        server = _start(state, options)
    _print_variables(state, server)
    return 0


def env(options: argparse.Namespace) -> int:
    """Print the variables alone, for `eval "$(python -m local_cloud env)"`."""
    state = StateDirectory(options.state_dir)
    _print_variables(state, running_server(state))
    return 0


def reset(options: argparse.Namespace) -> int:
    """Make the account as new."""
    server = running_server(StateDirectory(options.state_dir))
    try:
        request(server, "/moto-api/reset", method="POST", timeout=60)
    except OSError as error:
        raise CommandError(f"the local cloud did not reset: {error}; see: python -m local_cloud logs") from error
    _say("reset: all resources are gone, nothing runs")
    return 0


def down(options: argparse.Namespace) -> int:
    """Stop the server and everything that it started."""
    state = StateDirectory(options.state_dir)
    server = state.server()
    if server is None:
        _say(f"no local cloud runs in {state.path}")
        return 0
    started = time.monotonic()
    send_signal(server.pid, signal.SIGTERM)
    if _wait_until(lambda: not server.alive, limit=STOP_LIMIT_SECONDS):
        _say(f"stopped the local cloud (pid {server.pid}) in {time.monotonic() - started:.1f} s")
        return 0
    send_signal(server.pid, signal.SIGKILL)
    if not _wait_until(lambda: not server.alive, limit=5):
        raise CommandError(f"the local cloud (pid {server.pid}) cannot be ended; end it by hand: kill -9 {server.pid}")
    ProcessTable(state.path).kill_leftovers()
    _say(f"the local cloud (pid {server.pid}) did not stop within {STOP_LIMIT_SECONDS:.0f} s and was killed")
    return 0


def _start(state: StateDirectory, options: argparse.Namespace) -> ServerRecord:
    _check_port(options.port)
    state.path.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    _say("starting the local cloud ...")
    with state.log.open("ab") as log:  # to add, since of two commands at the same time both have it open
        process = subprocess.Popen(
            _command(state, options),
            env=server_variables(inherited=os.environ, runtime_directory=default_directory()),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        server = _await_health(state, process=process)
    except BaseException:
        # Ctrl-C included: no half-started server may stay behind.
        process.kill()
        process.wait()
        raise
    if server.pid == process.pid:
        for line in server.news:
            _say(line)
        _say(f"the local cloud is up: {server.url} (pid {server.pid}, {time.monotonic() - started:.1f} s)")
    else:
        # Another command was faster. Ours would find that out by itself, unless that one's server ends before.
        process.kill()
        process.wait()
        _say(f"the local cloud is already up: {server.url} (pid {server.pid})")
    return server


def _become_server(state: StateDirectory, options: argparse.Namespace) -> int:
    """Replace this process by the server; it ends on Ctrl-C."""
    _check_port(options.port)
    _say('once it is ready, in another terminal: eval "$(python -m local_cloud env)"')
    arguments = _command(state, options)
    environment = server_variables(inherited=os.environ, runtime_directory=default_directory())
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - the whole of this function


def _command(state: StateDirectory, options: argparse.Namespace) -> list[str]:
    command = [*SERVER_COMMAND, "--port", str(options.port), "--state-dir", str(state.path)]
    return command if options.wait_scale is None else [*command, "--wait-scale", str(options.wait_scale)]


def _await_health(state: StateDirectory, *, process: "subprocess.Popen[bytes] | None") -> ServerRecord:
    """The server once it answers. `process` is the one started for it, if this command started one."""
    found: list[ServerRecord] = []

    def answers() -> bool:
        server = state.server()
        if server is not None and is_healthy(server):
            found.append(server)
        elif server is None and (process is None or process.poll() is not None) and not state.claimed:
            raise CommandError(f"the local cloud ended while it started; the end of {state.log}:{_tail(state.log)}")
        return bool(found)

    if not _wait_until(answers, limit=START_LIMIT_SECONDS):
        waited = f"{START_LIMIT_SECONDS:.0f} s"
        raise CommandError(f"the local cloud did not answer for {waited}; the end of {state.log}:{_tail(state.log)}")
    return found[0]


def _check_port(port: int) -> None:
    """Raise CommandError if a port is taken: sooner, and in clearer words, than the server's log would."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"port {port} on 127.0.0.1 cannot be used ({error.strerror}); "
                "take another with --port N, or any free one with --port 0"
            ) from error


def _wait_until(condition: Callable[[], bool], *, limit: float) -> bool:
    """Whether the condition came true within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)  # between two looks at another process, which cannot tell us by itself
    return True


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    except OSError:
        lines = []
    return "".join(f"\n  {line}" for line in lines) or " (empty)"


def _print_variables(state: StateDirectory, server: ServerRecord) -> None:
    variables = user_variables(state, server, inherited=os.environ)
    print("\n".join(shell_lines(variables, inherited=os.environ)), flush=True)


def _say(text: str) -> None:
    """Tell people; standard output is for the shell."""
    print(text, file=sys.stderr, flush=True)
