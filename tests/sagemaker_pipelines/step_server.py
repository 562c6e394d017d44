"""Runs steps in forks of one process that has imported them, since importing scikit-learn takes longer than the step.

Started with the runtime image's Python; speaks JSON lines: {step, environment} in, {returncode, stdout, stderr} out.
A fork has its own memory and environment, so that a step sees nothing of the one before.
"""

import importlib
import json
import os
import sys
import tempfile
from typing import Any

STEPS = {
    name: importlib.import_module(f"sagemaker_pipelines.car_prices.steps.{name}")
    for name in ("validate_data", "preprocess", "train", "export", "evaluate")
}


def _serve(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        child = os.fork()
        if child == 0:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            os.environ.update(request["environment"])
            code = STEPS[request["step"]].main()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        stdout.seek(0)
        stderr.seek(0)
        return {
            "returncode": os.waitstatus_to_exitcode(status),
            "stdout": stdout.read(),
            "stderr": stderr.read(),
        }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_serve(json.loads(line))), flush=True)
