"""`make pipeline`: the data scientist's inner loop against the local cloud that `make up` left running.

Synthesize, deploy what changed, start the pipeline on the newest snapshot, show it. Steps that did not change are taken
from the cache.
"""

import argparse
import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from demo.aws import stack_outputs
from demo.cdk import CdkApp, current_commit
from demo.commands import ROOT, Command, clean_environment, python, run
from demo.errors import DemoError
from demo.interrupts import interrupt_once
from demo.loop import parse_exports
from demo.snapshots import newest_snapshot
from demo.timing import Timing
from demo.watching import WATCH, show_indented
from demo.workspace import exclusive
from local_cloud.processes import ProcessTable
from local_cloud.state import DIRECTORY_VARIABLE, StateDirectory


def run_inner_loop(*, stage: str, state_directory: Path) -> None:
    """Raises DemoError if no local cloud is up or a part fails."""
    if StateDirectory(state_directory).server() is None:
        raise DemoError(f"no local cloud is up in {state_directory}; start one and load data with: make up")
    with exclusive(state_directory):
        _run(stage, state_directory)


def _run(stage: str, state_directory: Path) -> None:
    way_in = python("-m", "local_cloud", "env", "--state-dir", str(state_directory))
    environment = clean_environment(
        parse_exports(run(way_in, environment=clean_environment(), what="`local_cloud env`"))
    )
    table, timing = ProcessTable(state_directory / "demo"), Timing()
    app = CdkApp(stage, state_directory / "cdk.out", table)
    timing.begin("templates", "cdk synth")
    app.synthesize()
    timing.begin("deploy", "what changed")
    app.deploy(environment)
    outputs = stack_outputs(environment)
    if "CarPricesPipelineName" not in outputs:
        raise DemoError(f"stage {stage} trains no car_prices; see config/stages and choose another with --stage")
    snapshot = newest_snapshot(environment, outputs["LakeBucketName"], dataset="car_prices")
    timing.begin("training", f"the pipeline on data version {snapshot.data_version}")
    parameters = {"DataVersion": snapshot.data_version, "SnapshotFiles": snapshot.files_uri, "Commit": current_commit()}
    pairs = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
    watch = python(*WATCH, "--pipeline", outputs["CarPricesPipelineName"], "--start", *pairs)
    Command(watch, table=table, environment=environment, what="the pipeline", show=show_indented).finish_or_cancel()
    print(f"\n== done in {timing.total:.0f} s ({timing})")


def main() -> int:
    """0 when the execution succeeded; 1 with the reason, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.inner_loop", description=__doc__)
    parser.add_argument("--stage", default="dev", help="stage to deploy (default %(default)s)")
    parser.add_argument("--state-dir", type=Path, help="folder of the local cloud that is up")
    arguments = parser.parse_args()
    folder = arguments.state_dir or os.environ.get(DIRECTORY_VARIABLE) or ROOT / ".local-cloud"
    interrupt_once()
    try:
        run_inner_loop(stage=arguments.stage, state_directory=Path(folder).absolute())
    except KeyboardInterrupt:
        print("the local cloud is still up", file=sys.stderr)
        return 130
    except (DemoError, OSError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
