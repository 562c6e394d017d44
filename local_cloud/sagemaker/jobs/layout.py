"""The `/opt/ml` folder of one job: SageMaker's directory contract, laid out under the job's own folder.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from local_cloud.sagemaker.jobs.failures import REASON_LIMIT, JobFailure
from local_cloud.sagemaker.jobs.plan import CONTAINER_ROOT


class JobFolder:
    """One job's files. `root` plays the part of the container's `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def base(self) -> Path:
        """The folder that the job sees as `/opt/ml`: the value of ML_BASE_DIR."""
        return self.root / "opt" / "ml"

    @property
    def temporary(self) -> Path:
        """The job's own TMPDIR."""
        return self.root / "tmp"

    def path(self, container_path: str) -> Path:
        """Where a path of the container lies here. Raises JobFailure for paths outside `/opt/ml`."""
        path = PurePosixPath(container_path)
        if path.parts[: len(PurePosixPath(CONTAINER_ROOT).parts)] != ("/", "opt", "ml") or ".." in path.parts:
            raise JobFailure(f"ClientError: LocalPath {container_path!r} must lie under {CONTAINER_ROOT}.")
        return self.root.joinpath(*path.parts[1:])

    def translate(self, word: str) -> str:
        """An argument of the command: a path under `/opt/ml` becomes the path here, anything else stays."""
        inside = word == CONTAINER_ROOT or word.startswith(CONTAINER_ROOT + "/")
        return str(self.root) + word if inside else word

    def lay_out(self, *, folders: Iterable[str], configuration: Mapping[str, Any]) -> None:
        """Make the folders and write the configuration files; an older folder of the same name is replaced."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in (*folders, f"{CONTAINER_ROOT}/output"):
            self.path(folder).mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(parents=True)
        for container_path, content in configuration.items():
            path = self.path(container_path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=2))

    def output_text(self, name: str) -> str:
        """`/opt/ml/output/<name>` (`failure` or `message`), cut to what AWS reports; empty if not written."""
        path = self.base / "output" / name
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(4 * REASON_LIMIT).decode(errors="replace")[:REASON_LIMIT]

    def remove(self) -> None:
        """Delete the job's files, as AWS discards the instance."""
        shutil.rmtree(self.root, ignore_errors=True)


def files_below(folder: Path) -> list[Path]:
    """All regular files below a folder, sorted by path; links are not followed out of it."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
