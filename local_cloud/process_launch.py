"""Starts the supervisor of one command and tells it what to run (see `process_supervisor.py` for its half)."""

import marshal
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.errors import LocalCloudError

_SUPERVISOR = Path(__file__).with_name("process_supervisor.py")
_START_LIMIT_SECONDS = 60.0


class LaunchError(LocalCloudError):
    """The command does not run; the message is the reason alone."""


@dataclass(frozen=True)
class Launched:
    """A command that runs: its pid, its supervisor, and the channel on which the supervisor is told and tells."""

    pid: int
    supervisor: "subprocess.Popen[bytes]"
    channel: socket.socket


def launch(order: Mapping[str, Any], *, pipe_stdin: bool, pass_fds: Sequence[int]) -> Launched:
    """Run a command under a supervisor of its own.

    `order` is what the supervisor reads, as plain data. `pass_fds` stay open in the child under the same numbers.
    Raises LaunchError.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), str(theirs.fileno())],
            stdin=subprocess.PIPE if pipe_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            pass_fds=(theirs.fileno(), *pass_fds),
            start_new_session=True,
        )
    message = marshal.dumps({**order, "pass_fds": list(pass_fds)})
    return Launched(_hand_over(message, supervisor, channel=ours), supervisor, ours)


def _hand_over(message: bytes, supervisor: "subprocess.Popen[bytes]", *, channel: socket.socket) -> int:
    """Tell the supervisor what to run; the pid of the command."""
    channel.settimeout(_START_LIMIT_SECONDS)
    try:
        channel.sendall(len(message).to_bytes(4, "big") + message)
        word, _, value = _read_line(channel).partition(" ")
    except OSError:
        word, value = "", ""
    if word == "started":
        channel.settimeout(None)
        return int(value)
    channel.close()
    supervisor.kill()
    supervisor.communicate()
    raise LaunchError(os.strerror(int(value)) if word == "failed" else "its supervisor did not answer")


def _read_line(channel: socket.socket) -> str:
    """One line, byte by byte: what follows it belongs to the thread that is started next."""
    line = b""
    while not line.endswith(b"\n"):
        byte = channel.recv(1)
        if not byte:
            break
        line += byte
    return line.decode().strip()
