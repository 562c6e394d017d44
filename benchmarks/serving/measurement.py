"""Measuring one stack: cold start, memory, latency on one connection, CPU time per request on sixteen."""

import http.client
import json
import socket
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT, BenchmarkError
from benchmarks.serving.models import Models
from benchmarks.serving.processes import ProcessGroup, environment_of
from benchmarks.serving.stacks import Places, start
from benchmarks.waiting import WaitError, wait_for

_CLIENT = Path(__file__).with_name("client.py")
_CONNECTIONS = 16
_START_SECONDS = 30
_COLD_START_RESOLUTION_SECONDS = 0.01


@dataclass(frozen=True)
class Load:
    """Seconds: of CPU per request (all processes of the server) under load and on one connection, of latency on one.

    Under load our server scores what comes in together in one run of the model; on one connection nothing does.
    """

    cpu: float
    cpu_alone: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Running:
    """A stack that answers, and what its start took."""

    stack: str
    group: ProcessGroup
    places: Places
    cold_start: float


@dataclass(frozen=True)
class Result:
    """One stack with one model: what it costs at rest and by number of rows."""

    stack: str
    cold_start: float
    memory: int
    loads: dict[int, Load]


def start_stack(stack: str, models: Models, places: Places) -> Running:
    """Start a stack and wait for its first prediction; raises BenchmarkError if there is none."""
    body = models.bodies(1, places.folder)[0].read_bytes()
    started = time.monotonic()
    group = start(stack, models, places)
    try:
        _wait_for_answer(group, places.port, body)
    except BenchmarkError:
        group.stop()
        raise
    return Running(stack, group, places, time.monotonic() - started)


def measure_stacks(
    running: Sequence[Running], models: Models, *, rows: Sequence[int], seconds: float, rounds: int
) -> list[Result]:
    """Load every stack in turn, several times over, so that what else the machine does meets all of them alike.

    Of the rounds the one with the least CPU time per request counts, for every stack: anything that disturbs a
    process only ever adds to it. Latencies are medians over the rounds. Raises BenchmarkError if a request fails.
    """
    loads: dict[str, dict[int, Load]] = {item.stack: {} for item in running}
    for count in rows:
        bodies = {item.stack: models.bodies(count, item.places.folder) for item in running}
        measured: dict[str, list[Load]] = {item.stack: [] for item in running}
        for _ in range(rounds):
            for item in running:
                measured[item.stack].append(_measure_load(item, bodies[item.stack], seconds=seconds))
        for stack, all_rounds in measured.items():
            loads[stack][count] = Load(
                cpu=min(load.cpu for load in all_rounds),
                cpu_alone=min(load.cpu_alone for load in all_rounds),
                p50=statistics.median(load.p50 for load in all_rounds),
                p99=statistics.median(load.p99 for load in all_rounds),
            )
    return [Result(item.stack, item.cold_start, item.group.memory_bytes(), loads[item.stack]) for item in running]


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _measure_load(running: Running, files: Sequence[Path], *, seconds: float) -> Load:
    begin = running.group.cpu_seconds()
    single = _client(running.places, files, connections=1, seconds=seconds)
    middle = running.group.cpu_seconds()
    many = _client(running.places, files, connections=_CONNECTIONS, seconds=seconds)
    end = running.group.cpu_seconds()
    running.group.check()
    return Load(
        cpu=(end - middle) / many["requests"],
        cpu_alone=(middle - begin) / single["requests"],
        p50=single["p50"],
        p99=single["p99"],
    )


def _client(places: Places, files: Sequence[Path], *, connections: int, seconds: float) -> dict[str, float]:
    command = [str(places.ours), str(_CLIENT), str(places.port), str(connections), str(seconds), *map(str, files)]
    finished = subprocess.run(command, env=environment_of(), cwd=ROOT, capture_output=True, text=True)
    if finished.returncode:
        raise BenchmarkError(f"the load client failed:\n{finished.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(finished.stdout)
    if answer["failures"]:
        raise BenchmarkError(f"{answer['failures']:.0f} of {answer['requests']:.0f} requests failed")
    return answer


def _wait_for_answer(group: ProcessGroup, port: int, body: bytes) -> None:
    def answers() -> bool:
        group.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/invocations", body, {"content-type": "text/csv"})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    try:
        wait_for(answers, what="the first prediction", seconds=_START_SECONDS, pace=_COLD_START_RESOLUTION_SECONDS)
    except WaitError as error:
        raise BenchmarkError(f"{error}:\n{group.log_tail()}") from None
