"""The loop as a sequence of commands: start, synthesize, deploy, load, train, show what waits for a decision."""

import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.aws import client, stack_outputs
from demo.commands import ROOT, Command, clean_environment, python, run
from demo.errors import DemoError
from demo.summary import Evidence, print_summary

_ACCOUNT_ENVIRONMENT = "aws://123456789012/us-east-1"
_EXECUTION_LIMIT_SECONDS = 60
_POLL_SECONDS = 0.2


@dataclass
class Loop:
    """One run of the demo. `years` is a range of model years, `assembly` the folder for the templates."""

    years: str
    stage: str
    assembly: Path
    port: int
    state_directory: Path
    keep_running: bool

    def run(self) -> None:
        """Do everything; raises DemoError with the reason if a part fails."""
        started = time.monotonic()
        with self._local_cloud() as environment:
            self._step("templates: cdk synth, and cdk bootstrap beside it")
            self._synthesize_and_bootstrap(environment)
            self._step("deploy: cdk deploy --all, by the real CDK CLI")
            self._deploy(environment)
            outputs = stack_outputs(environment)
            self._step(f"data: model years {self.years} go into the lake; the ingest Lambda checks them")
            self._load(environment, outputs)
            execution = self._wait_for_execution(environment, outputs)
            self._step("training: the SageMaker pipeline, step by step")
            self._watch(environment, outputs, execution)
            evidence = Evidence.collect(environment, execution, folder=self.state_directory / "evidence")
            print_summary(evidence, seconds=time.monotonic() - started, keep_running=self.keep_running)

    def _step(self, title: str) -> None:
        print(f"\n== {title}", flush=True)

    @contextmanager
    def _local_cloud(self) -> Iterator[dict[str, str]]:
        self._step("local cloud: one process on 127.0.0.1 that answers as AWS")
        place = ["--state-dir", str(self.state_directory)]
        base = clean_environment()
        finished = False
        try:
            up = python("-m", "local_cloud", "up", "--port", str(self.port), *place)
            output = run(up, environment=base, what="`python -m local_cloud up`")
            exports = parse_exports(output)
            print(f"   ready: {exports['AWS_ENDPOINT_URL']}")
            yield clean_environment(exports)
            finished = True
        finally:
            if not (finished and self.keep_running):
                down = python("-m", "local_cloud", "down", *place)
                run(down, environment=base, what="`python -m local_cloud down`")
            if not finished and not self.keep_running:
                shutil.rmtree(self.state_directory, ignore_errors=True)

    def _synthesize_and_bootstrap(self, environment: Mapping[str, str]) -> None:
        # In a folder without cdk.json the CLI bootstraps the named environment without running the app for it.
        bootstrap = Command(
            python(str(ROOT / "scripts" / "cdk.py"), "bootstrap", _ACCOUNT_ENVIRONMENT),
            environment=environment,
            folder=self.state_directory,
            what="cdk bootstrap",
        )
        try:
            synth = ["scripts/cdk.py", "synth", "--quiet", "--output", str(self.assembly), "-c", f"stage={self.stage}"]
            run(
                python(*synth, "-c", f"commit={current_commit()}"),
                environment=clean_environment(),
                what="cdk synth",
            )
            print(f"   synth: done, {self.assembly}/")
            bootstrap.finish()
            print("   bootstrap: done")
        finally:
            bootstrap.cancel()

    def _deploy(self, environment: Mapping[str, str]) -> None:
        deploy = ["scripts/cdk.py", "deploy", "--all", "--app", str(self.assembly), "--require-approval", "never"]
        run(python(*deploy, "--progress", "events"), environment=environment, show=_show_deploy, what="cdk deploy")

    def _load(self, environment: Mapping[str, str], outputs: Mapping[str, str]) -> None:
        upload = ["-m", "sagemaker_pipelines.car_prices.batches", "upload", "--years", self.years, "--single-file"]
        run(
            python(*upload, "--bucket", outputs["LakeBucketName"]),
            environment=environment,
            show=_indent,
            what="the upload of the model years",
        )

    def _wait_for_execution(self, environment: Mapping[str, str], outputs: Mapping[str, str]) -> str:
        """The execution that the new snapshot started, found as any user would find it."""
        sagemaker = client("sagemaker", environment)
        deadline = time.monotonic() + _EXECUTION_LIMIT_SECONDS
        while time.monotonic() < deadline:
            found = sagemaker.list_pipeline_executions(
                PipelineName=outputs["CarPricesPipelineName"], SortOrder="Descending"
            )
            if found["PipelineExecutionSummaries"]:
                return str(found["PipelineExecutionSummaries"][0]["PipelineExecutionArn"])
            time.sleep(_POLL_SECONDS)
        raise DemoError(
            f"no execution of {outputs['PipelineName']} started within {_EXECUTION_LIMIT_SECONDS} s of the upload; "
            f"see {self.state_directory}/server.log and quarantine/ in s3://{outputs['LakeBucket']}"
        )

    def _watch(self, environment: Mapping[str, str], outputs: Mapping[str, str], execution: str) -> None:
        watch = [
            "-m",
            "sagemaker_pipelines.watch",
            "--pipeline",
            outputs["CarPricesPipelineName"],
            "--execution",
            execution,
        ]
        run(python(*watch), environment=environment, show=_indent, what="the pipeline")


def parse_exports(text: str) -> dict[str, str]:
    """The variables of `export NAME=value` lines."""
    words = [shlex.split(line) for line in text.splitlines() if line.startswith("export ")]
    return dict(word[1].split("=", 1) for word in words if len(word) == 2)


def current_commit() -> str:
    """The commit of the checkout, or `unrecorded` outside of a git repository."""
    try:
        return run(["git", "rev-parse", "HEAD"], environment=clean_environment(), what="git").strip()
    except (DemoError, FileNotFoundError):
        return "unrecorded"


def _indent(line: str) -> None:
    print(f"   {line}", flush=True)


def _show_deploy(line: str) -> None:
    """The CLI's progress without its headings and empty lines."""
    if "_COMPLETE" in line or "FAILED" in line or "ROLLBACK" in line or "Stack ARN" in line:
        _indent(line.strip())
