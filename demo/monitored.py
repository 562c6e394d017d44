"""Third act: callers ask for newer cars, the monitors notice, real prices follow, and the loop trains by itself."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.aws import read_object, stack_outputs
from demo.cars import Car
from demo.deployed import Deployed
from demo.errors import DemoError
from drift_monitor.readers.ground_truth import label_line

APPROVER = "approver@example.com"
_CALLERS = 4
_SHOWN_FINDINGS = 3
_FINDING_CHARACTERS = 105


@dataclass(frozen=True)
class Window:
    """A span of time on full seconds, and the cars that were asked for in it, by inference id."""

    start: datetime
    end: datetime
    cars: Mapping[str, Car]


@dataclass(frozen=True)
class Judged:
    """What a monitor said of a window: the content of its monitor_report.json, and a copy of its page."""

    report: Mapping[str, Any]
    page: Path

    def figure(self, name: str) -> float:
        """An observed figure of model quality, such as `mape`."""
        metrics = self.report["quality"]["metrics"]
        return next(float(metric["observed"]["value"]) for metric in metrics if metric["name"] == name)


@dataclass
class MonitoredProduction:
    """The live endpoint with its callers, its monitors, and the business that learns the real prices later."""

    deployed: Deployed
    _asked: int = 0
    _outputs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._outputs = stack_outputs(self.deployed.environment)

    def subscribe_approver(self) -> None:
        """From here on the approver gets mail, as a file beside the local cloud's state."""
        topic = self._outputs["ApprovalTopicArn"]
        self.deployed.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=APPROVER)

    def ask(self, cars: Sequence[Car]) -> Window:
        """Ask for the price of every car; gives the window when all requests have been captured."""
        start, runtime = self._next_second(), self.deployed.client("sagemaker-runtime")
        named = {f"demo-{self._asked + number}": car for number, car in enumerate(cars)}
        self._asked += len(cars)

        def invoke(item: tuple[str, Car]) -> None:
            runtime.invoke_endpoint(
                EndpointName=self.deployed.names.production_endpoint,
                ContentType="text/csv",
                Body=item[1].body,
                InferenceId=item[0],
            )

        with ThreadPoolExecutor(max_workers=_CALLERS) as callers:
            list(callers.map(invoke, named.items()))
        self.deployed.wait_for(lambda: self._captured() >= self._asked, what="the captured requests in S3")
        return Window(start, self._next_second(), named)

    def learn_prices(self, windows: Sequence[Window]) -> None:
        """Write the list price of every car down as ground truth, under the id of its request."""
        lines = [label_line(name, car.price) for window in windows for name, car in window.cars.items()]
        folder = f"monitoring/ground-truth/{self.deployed.names.production_endpoint}/{datetime.now(UTC):%Y/%m/%d/%H}"
        self.deployed.client("s3").put_object(
            Bucket=self.deployed.names.artifact_bucket,
            Key=f"{folder}/list-prices.jsonl",
            Body="".join(f"{line.rstrip()}\n" for line in lines).encode(),
        )
        print(f"   the list prices of {len(lines):,} cars are known now: {folder}/", flush=True)

    def judge(self, windows: Sequence[Window], *, monitor: str) -> Judged:
        """Let a monitor judge the time of these windows, as its schedule would; DemoError if it cannot."""
        request = {
            "monitor": monitor,
            "windowStart": f"{windows[0].start:%FT%TZ}",
            "windowEnd": f"{windows[-1].end:%FT%TZ}",
        }
        answer = self.deployed.client("lambda").invoke(
            FunctionName=self._outputs["CarPricesStartMonitoringFunctionName"], Payload=json.dumps(request)
        )
        started = json.load(answer["Payload"])
        if started.get("outcome") != "started":
            raise DemoError(f"monitor {monitor} did not start: {started.get('reason') or started}")
        status = self.deployed.wait_for(lambda: self._ended(started["execution"]), what=f"the monitor {monitor}")
        if status != "Succeeded":
            raise DemoError(f"the monitoring pipeline ended with {status}: {started['execution']}")
        judged = self._fetch(started["folder"], monitor=monitor)
        _show(judged, monitor=monitor)
        return judged

    def mail(self, subject: str) -> Path:
        """The approver's mail with these words in its subject, once it is there."""
        folder = self.deployed.folder / "mail" / APPROVER

        def found() -> Path | None:
            return next((path for path in sorted(folder.glob("*.eml")) if subject.replace(" ", "_") in path.name), None)

        return self.deployed.wait_for(found, what="the mail to the approver").resolve()

    def _ended(self, execution: str) -> str | None:
        found = self.deployed.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=execution)
        status = str(found["PipelineExecutionStatus"])
        return None if status in ("Executing", "Stopping") else status

    def _fetch(self, folder: str, *, monitor: str) -> Judged:
        end = folder.rstrip("/").rsplit("/", 1)[-1]
        page = self.deployed.folder / "evidence" / f"{monitor}-{end}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(read_object(self.deployed.environment, f"{folder}result/report.html"))
        report = json.loads(read_object(self.deployed.environment, f"{folder}result/monitor_report.json"))
        return Judged(report, page.resolve())

    def _captured(self) -> int:
        s3, bucket = self.deployed.client("s3"), self.deployed.names.artifact_bucket
        prefix = f"monitoring/capture/{self.deployed.names.production_endpoint}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        bodies = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)
        return sum(body.count(b'"demo-') for body in bodies)

    def _next_second(self) -> datetime:
        """The next full second, once it has come: the times of captured requests have no smaller parts."""
        moment = math.floor(time.time()) + 1
        self.deployed.wait_for(lambda: time.time() >= moment, what="the next second")
        return datetime.fromtimestamp(moment, UTC)


def _show(judged: Judged, *, monitor: str) -> None:
    report = judged.report
    found = [violation["description"] for violation in report["violations"]]
    verdict = f"{len(found)} violations" if found else "nothing to report"
    print(f"   monitor {monitor}: {report['rows']:,} rows, {verdict}")
    for description in found[:_SHOWN_FINDINGS]:
        print(f"     {description[:_FINDING_CHARACTERS]}")
    print(f"     report: {judged.page}", flush=True)
