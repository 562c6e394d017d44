"""The loop as a whole: start, synthesize, deploy, let the story take place, tell what came out, and clean up."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.aws import stack_outputs
from demo.cdk import CdkApp
from demo.commands import clean_environment, python, run
from demo.deployed import Deployed
from demo.errors import DemoError
from demo.interrupts import ignore_interrupts
from demo.snapshots import newest_snapshot
from demo.story import ModelYears, Story, Until
from demo.story_summary import print_errors, print_story, print_what_next
from demo.summary import print_approval_summary, print_way_in
from demo.timing import Timing
from demo.workspace import exclusive
from local_cloud.processes import ProcessTable
from local_cloud.state import StateDirectory


@dataclass
class Loop:
    """One run of the demo. `years` is a range of model years; all that it writes goes into `state_directory`.

    `until` says which act is the last. With `keep_running` the local cloud stays up after a success.
    `found_running`: it was up before, so it is not this run's to stop.
    """

    years: str
    stage: str
    port: int
    state_directory: Path
    keep_running: bool
    until: Until = Until.END
    found_running: bool = False
    _timing: Timing = field(default_factory=Timing)

    def __post_init__(self) -> None:
        self._table = ProcessTable(self.state_directory / "demo")
        self._app = CdkApp(self.stage, self.state_directory / "cdk.out", self._table)

    def run(self) -> None:
        """Do everything; raises DemoError with the reason if a part fails."""
        years = ModelYears.parse(self.years, until=self.until)
        with exclusive(self.state_directory), self._local_cloud() as environment:
            if self.found_running and _is_loaded(environment):
                print("   the app is deployed and has data: `make pipeline` trains anew, `make down` stops it")
                print_way_in(environment["AWS_ENDPOINT_URL"])
                return
            self._timing.begin("templates", "cdk synth, and cdk bootstrap beside it")
            self._synthesize_and_bootstrap(environment)
            self._timing.begin("deploy", "cdk deploy --all, by the real CDK CLI")
            self._app.deploy(environment)
            deployed = Deployed.find(environment, stage=self.stage, folder=self.state_directory, table=self._table)
            self._tell(Story(deployed, years, self._timing))

    def _tell(self, story: Story) -> None:
        first = story.train(self.years)
        if self.until is Until.APPROVAL:
            print_approval_summary(first, timing=self._timing, keep_running=self.keep_running)
            return
        story.first_release(first)
        if self.until is Until.END:
            newer = story.monitored()
            story.newer_model(newer, live=first.package_arn)
            story.bad_model(live=newer.package_arn)
        print_story(story.deployed, story.chapters, picture=story.draw(), timing=self._timing)
        if self.until is Until.END:
            print_errors(story.errors(before=first.package_arn, after=newer.package_arn), story.watched)
        print_what_next(story.deployed, keep_running=self.keep_running)

    @contextmanager
    def _local_cloud(self) -> Iterator[dict[str, str]]:
        self._timing.begin("local cloud", "one process on 127.0.0.1 that answers as AWS")
        interrupted = finished = False
        try:
            if not self.keep_running:
                self._down()  # one that a killed demo left: nobody else uses the demo's folder
            self.found_running = StateDirectory(self.state_directory).server() is not None
            exports = parse_exports(self._up())
            print(f"   {'already up' if self.found_running else 'ready'}: {exports['AWS_ENDPOINT_URL']}", flush=True)
            yield clean_environment(exports)
            finished = True
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            ignore_interrupts()
            if not self.found_running and not (finished and self.keep_running):
                self._down()
                if interrupted:
                    shutil.rmtree(self.state_directory, ignore_errors=True)

    def _up(self) -> str:
        command = python("-m", "local_cloud", "up", "--port", str(self.port), "--state-dir", str(self.state_directory))
        try:
            return run(command, environment=clean_environment(), what="the start of the local cloud")
        except DemoError as error:
            hint = "\n  (with make: make up PORT=N)" if self.keep_running and "--port N" in str(error) else ""
            raise DemoError(f"{error}{hint}") from None

    def _down(self) -> None:
        """Stop the local cloud. A failure is only told: the reason for the end matters more."""
        command = python("-m", "local_cloud", "down", "--state-dir", str(self.state_directory))
        try:
            run(command, environment=clean_environment(), what="the stop of the local cloud")
        except DemoError as error:
            print(f"error: {error}", file=sys.stderr)

    def _synthesize_and_bootstrap(self, environment: Mapping[str, str]) -> None:
        bootstrap = self._app.begin_bootstrap(environment)
        try:
            self._app.synthesize()
            print(f"   synth: done, see {os.path.relpath(self._app.assembly)}/", flush=True)
            bootstrap.finish()
            print("   bootstrap: done", flush=True)
        finally:
            bootstrap.cancel()


def _is_loaded(environment: Mapping[str, str]) -> bool:
    """Whether there is an app with data to train on."""
    outputs = stack_outputs(environment)
    if "CarPricesPipelineName" not in outputs:
        return False
    try:
        newest_snapshot(environment, outputs["LakeBucketName"], dataset="car_prices")
    except DemoError:
        return False
    return True


def parse_exports(text: str) -> dict[str, str]:
    """The variables of `export NAME=value` lines."""
    words = [shlex.split(line) for line in text.splitlines() if line.startswith("export ")]
    return dict(word[1].split("=", 1) for word in words if len(word) == 2)
