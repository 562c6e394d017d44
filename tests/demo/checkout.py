"""A checkout with the real demo and local cloud, and with a CDK CLI that only waits: to see how the demo ends."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LINKED = ("local_cloud", "releases", "sagemaker_pipelines", "model_server", "drift_monitor", "data_contracts")
WAITING_CLI = """
import subprocess, sys, time, pathlib
child = subprocess.Popen(["sleep", "600"])
pathlib.Path(sys.argv[1] + ".started").touch()
child.wait()
"""


@dataclass(frozen=True)
class Checkout:
    """A folder in which `python -m demo` runs; `state` is what the demo writes into."""

    folder: Path
    state: Path

    def begin(self, module: str = "demo", *arguments: str) -> "subprocess.Popen[str]":
        """Start the demo in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [sys.executable, "-m", module, "--state-dir", str(self.state), *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> dict[int, str]:
        """Pids and command lines of all processes that have to do with this checkout."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            except OSError:
                continue  # it has ended, or is none of ours
            if str(self.folder).encode() in command + environment:
                found[int(process.name)] = command.replace(b"\0", b" ").decode()
        return found


def make_checkout(folder: Path, *, cdk_cli: str = WAITING_CLI) -> Checkout:
    """Copy the demo, link what it runs, and put a program in the CDK CLI's place."""
    checkout = folder / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    (checkout / "demo").mkdir()
    for source in (ROOT / "demo").glob("*.py"):
        (checkout / "demo" / source.name).write_text(source.read_text())
    for package in _LINKED:
        (checkout / package).symlink_to(ROOT / package)
    (checkout / "scripts" / "cdk.py").write_text(cdk_cli)
    return Checkout(checkout, checkout / "state")
