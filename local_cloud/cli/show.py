"""status and logs: what the local cloud holds and says."""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_cloud.cli.control import aws_client, request, running_server
from local_cloud.cli.deployed import endpoint_rows, release_rows
from local_cloud.cli.errors import CommandError
from local_cloud.state import StateDirectory

_EXECUTIONS_SHOWN = 5
_DELIVERIES_SHOWN = 10
_STATE_MACHINE_EXECUTIONS_SHOWN = 10
_SERVER_LINES_SHOWN = 200
_FOLLOW_SECONDS = 1.0
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_JOBS = (
    ("processing", "list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName", "ProcessingJobStatus"),
    ("training", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus"),
)


def status(options: argparse.Namespace) -> int:
    """Show the server, and what it holds: stacks, runs, endpoints, releases, deliveries, mail."""
    server = running_server(StateDirectory(options.state_dir))
    engine = request(server, "/_local-cloud/status")
    report = {
        "server": {"url": server.url, "pid": server.pid},
        "stacks": _stacks(aws_client(server, "cloudformation")),
        "executions": _executions(aws_client(server, "sagemaker")),
        "jobs": _jobs(aws_client(server, "sagemaker")),
        "endpoints": endpoint_rows(engine.get("endpoints", []), aws_client(server, "sagemaker")),
        "releases": release_rows(aws_client(server, "codepipeline")),
        "state_machines": engine.get("state_machines", [])[-_STATE_MACHINE_EXECUTIONS_SHOWN:],
        "deliveries": engine.get("deliveries", [])[-_DELIVERIES_SHOWN:],
        "refused": engine.get("refused", [])[-_DELIVERIES_SHOWN:],
        "mail": engine.get("mail", []),
    }
    if options.json:
        print(json.dumps(report, indent=2, default=str))
        return 0
    print(f"local cloud: {server.url} (pid {server.pid})")
    for title, rows in report.items():
        if title != "server":
            _print_table(title.replace("_", " "), rows)
    return 0


def logs(options: argparse.Namespace) -> int:
    """Print the server's log, or the events of a CloudWatch log group."""
    state = StateDirectory(options.state_dir)
    lines = _server_lines(state, options) if options.log_group is None else _group_lines(state, options)
    try:
        for line in lines:
            print(line, flush=True)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
    return 0


def parse_age(text: str) -> float:
    """Seconds in `30s`, `10m`, `2h`, `1d`."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age such as 30s, 10m, 2h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def _stacks(client: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator("describe_stacks").paginate()
    return [{"name": stack["StackName"], "status": stack["StackStatus"]} for page in pages for stack in page["Stacks"]]


def _executions(client: Any) -> list[dict[str, Any]]:
    """The latest executions of each pipeline, newest first."""
    found = []
    for page in client.get_paginator("list_pipelines").paginate():
        for pipeline in page["PipelineSummaries"]:
            answer = client.list_pipeline_executions(
                PipelineName=pipeline["PipelineName"],
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=_EXECUTIONS_SHOWN,
            )
            found += [
                {
                    "pipeline": pipeline["PipelineName"],
                    "execution": summary["PipelineExecutionArn"].rpartition("/")[2],
                    "status": summary["PipelineExecutionStatus"],
                    "started": f"{summary['StartTime']:%Y-%m-%d %H:%M:%S}",
                }
                for summary in answer["PipelineExecutionSummaries"]
            ]
    return found


def _jobs(client: Any) -> list[dict[str, Any]]:
    found = []
    for kind, operation, key, name, state in _JOBS:
        for summary in getattr(client, operation)(StatusEquals="InProgress")[key]:
            found.append({"kind": kind, "job": summary[name], "status": summary[state]})
    return found


def _print_table(title: str, rows: Any) -> None:
    """Rows as aligned columns; a row that is no mapping as one line of JSON."""
    print(f"\n{title}: {'none' if not rows else len(rows)}")
    if not rows:
        return
    cells = [_cells(row) for row in rows]
    columns = max(map(len, cells))
    widths = [max(len(row[column]) for row in cells if column < len(row)) for column in range(columns)]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())


def _cells(row: Any) -> Sequence[str]:
    return [str(value) for value in row.values()] if isinstance(row, dict) else [json.dumps(row, default=str)]


def _server_lines(state: StateDirectory, options: argparse.Namespace) -> Iterator[str]:
    if not state.log.exists():
        raise CommandError(f"there is no {state.log}; start a local cloud with: python -m local_cloud up")
    return _file_lines(state.log, follow=options.follow)


def _file_lines(path: Path, *, follow: bool) -> Iterator[str]:
    with path.open(errors="replace") as stream:
        yield from (line.rstrip("\n") for line in stream.readlines()[-_SERVER_LINES_SHOWN:])
        while follow:
            line = stream.readline()
            if line:
                yield line.rstrip("\n")
            else:
                time.sleep(_FOLLOW_SECONDS)  # a file cannot say by itself that it has grown


def _group_lines(state: StateDirectory, options: argparse.Namespace) -> Iterator[str]:
    client = aws_client(running_server(state), "logs")
    since = 0 if options.since is None else int((time.time() - options.since) * 1000)
    seen: set[str] = set()
    while True:
        for event in _events(client, options.log_group, since=since):
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                since = max(since, event["timestamp"])
                yield _event_line(event)
        if not options.follow:
            return
        time.sleep(_FOLLOW_SECONDS)  # CloudWatch Logs has to be asked


def _events(client: Any, group: str, *, since: int) -> Iterable[dict[str, Any]]:
    try:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since):
            yield from page["events"]
    except client.exceptions.ResourceNotFoundException as error:
        groups = [item["logGroupName"] for item in client.describe_log_groups()["logGroups"]]
        raise CommandError(f"there is no log group {group}; there are: {', '.join(groups) or 'none'}") from error


def _event_line(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {event['logStreamName']}: {event['message'].rstrip()}"
