"""`make pipeline`: the data scientist's inner loop against the local cloud that `make up` left running.

Synthesize, deploy what changed, start the pipeline on the newest snapshot, show it. Steps that did not change are taken
from the cache.
"""

import argparse
import shutil
import sys
from pathlib import Path

from demo.aws import stack_outputs
from demo.commands import clean_environment, python, run
from demo.errors import DemoError
from demo.loop import current_commit, parse_exports
from demo.snapshots import newest_snapshot


def _say(line: str) -> None:
    print(f"   {line}", flush=True)


def run_inner_loop(*, stage: str, assembly: Path) -> None:
    """Raises DemoError if no local cloud is up or a part fails."""
    exports = run(python("-m", "local_cloud", "env"), environment=clean_environment(), what="`local_cloud env`")
    environment = clean_environment(parse_exports(exports))
    commit = current_commit()
    print("== synthesize and deploy what changed", flush=True)
    shutil.rmtree(assembly, ignore_errors=True)
    synth = python("scripts/cdk.py", "synth", "--quiet", "--output", str(assembly))
    run([*synth, "-c", f"stage={stage}", "-c", f"commit={commit}"], environment=clean_environment(), what="cdk synth")
    deploy = python("scripts/cdk.py", "deploy", "--all", "--app", str(assembly), "--require-approval", "never")
    run([*deploy, "--progress", "events"], environment=environment, what="cdk deploy")
    outputs = stack_outputs(environment)
    snapshot = newest_snapshot(environment, outputs["LakeBucketName"], dataset="car_prices")
    print(f"== run the pipeline on data version {snapshot.data_version}", flush=True)
    watch = ["-m", "sagemaker_pipelines.watch", "--pipeline", outputs["CarPricesPipelineName"], "--start"]
    parameters = {"DataVersion": snapshot.data_version, "SnapshotFiles": snapshot.files_uri, "Commit": commit}
    pairs = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
    run(python(*watch, *pairs), environment=environment, what="the pipeline", show=_say)


def main() -> int:
    """0 when the execution succeeded; 1 with the reason, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.inner_loop", description=__doc__)
    parser.add_argument("--stage", default="dev", help="stage to deploy (default %(default)s)")
    parser.add_argument("--app", type=Path, default=Path("cdk.out"), help="folder for the templates")
    arguments = parser.parse_args()
    try:
        run_inner_loop(stage=arguments.stage, assembly=arguments.app)
    except KeyboardInterrupt:
        print("\ninterrupted; the local cloud is still up", file=sys.stderr)
        return 130
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
