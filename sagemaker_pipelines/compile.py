"""`python -m sagemaker_pipelines.compile PROJECT --out FILE`: a pipeline definition as JSON, from placeholders.

Needs no AWS account, region, credentials or network, and makes no call: the SDK runs in a process of its own whose
environment answers what it would look up. The text is validated, canonical (the same sources give the same bytes)
and cached by the hash of its sources, so a synth whose pipeline has not changed does not load the SDK at all.
"""

import argparse
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sagemaker_pipelines.errors import DefinitionError, PipelinesError

ROOT = Path(__file__).resolve().parents[1]
CACHE_FOLDER = ROOT / ".cache" / "definitions"
# Packages whose version decides what the definition looks like, or how it is validated.
_LIBRARIES = ("sagemaker", "boto3", "botocore")
_SDK_CONFIGURATION = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"


def compiled_definition(project: str, *, cache: Path = CACHE_FOLDER) -> str:
    """The definition of a project, compiled from PLACEHOLDERS: cached text, or the output of a fresh compilation.

    Raises DefinitionError if there is no such project, the SDK fails or the definition is not valid.
    """
    path = cache / f"{project}-{source_hash(project)}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = _compile_in_subprocess(project)
        # Two synths may compile at once; each moves a complete file into place.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(path)
    return path.read_text(encoding="utf-8")


def source_hash(project: str) -> str:
    """Hash of everything that the definition depends on: the builders, the project and the SDK's version."""
    folder = Path(__file__).parent
    if not (folder / project / "pipeline.py").is_file():
        names = ", ".join(sorted(path.parent.name for path in folder.glob("*/pipeline.py")))
        raise DefinitionError(f"there is no project '{project}' in {folder.name}/; there is: {names}")
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), *(folder / project).glob("*.py")]):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library}=={importlib.metadata.version(library)}\0".encode())
    return digest.hexdigest()[:32]


def _compile_in_subprocess(project: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "definition.json"
        command = [sys.executable, "-m", "sagemaker_pipelines.compiler_process", project, str(output)]
        result = subprocess.run(
            command, cwd=ROOT, env=_environment(Path(folder)), capture_output=True, text=True, check=False
        )
        if result.returncode:
            # The SDK logs a lot; the reason is at the end.
            reason = "\n".join(result.stderr.strip().splitlines()[-15:])
            raise DefinitionError(f"the pipeline definition of {project} could not be compiled:\n{reason}")
        return output.read_text(encoding="utf-8")


def _environment(folder: Path) -> dict[str, str]:
    """Environment of the compiling process: nothing of the caller's AWS set-up, nothing to look up."""
    configuration = folder / "sagemaker-config.yaml"
    configuration.write_text(_SDK_CONFIGURATION, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
    return {
        **inherited,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(configuration),
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(configuration),
        # The SDK would ask IAM whether the role may do what the pipeline needs.
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }


def main(argv: list[str] | None = None) -> int:
    """Compile one project; exit status 1 with the reason on standard error if it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_pipelines.compile",
        description="Compiles a project's SageMaker pipeline definition offline, with placeholders.",
    )
    parser.add_argument("project", help="folder below sagemaker_pipelines/, for example car_prices")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write instead of standard output")
    arguments = parser.parse_args(argv)
    try:
        text = compiled_definition(arguments.project)
    except PipelinesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
