"""Lays an image's files out in a folder, as its COPY instructions say, without leaving the build context.

Ownership is not kept: all files belong to whoever runs the local cloud.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from local_cloud.dockerfile import Copy, Dockerfile, DockerfileError

_REQUIREMENTS_NAME = re.compile(r"requirements[\w.-]*\.txt")
_RUN_REQUIREMENTS = re.compile(r"(?:\s-r|--requirement)[\s=]*(\S+)")


def in_root(root: Path, path: str | PurePosixPath) -> Path:
    """An absolute path of the image as one below `root`."""
    return root.joinpath(*PurePosixPath(path).parts[1:])


def on_host(value: str, *, root: Path) -> str:
    """`value` with each absolute path in it (or several, with colons between) that the image holds mapped."""
    return ":".join(_piece_on_host(piece, root=root) for piece in value.split(":"))


def _piece_on_host(piece: str, *, root: Path) -> str:
    # `//...` is the rest of a URL that was cut at its colon.
    is_path = len(piece) > 1 and piece.startswith("/") and not piece.startswith("//")
    return str(in_root(root, piece)) if is_path and in_root(root, piece).exists() else piece


def lay_out(root: Path, dockerfile: Dockerfile, *, context: Path, name: str) -> dict[str, PurePosixPath]:
    """Carry out all COPY instructions; path in the image by path in the context, for each file named in
    one.

    Raises DockerfileError for a source that is missing or leads out of the context.
    """
    root.mkdir(parents=True)
    copied: dict[str, PurePosixPath] = {}
    for copy in dockerfile.copies:
        where = f"{name}, line {copy.line}"
        sources = [path for pattern in copy.sources for path in _sources(pattern, context=context, where=where)]
        target = in_root(root, copy.target)
        into = copy.into or target.is_dir()
        if len(sources) > 1 and not into:
            raise DockerfileError(f"{where}: several sources need a target that ends in /")
        for source in sources:
            destination = target / source.name if into and source.is_file() else target
            _copy(source, destination, copy=copy, context=context, where=where)
            if source.is_file():
                copied[str(source.relative_to(context))] = PurePosixPath("/") / destination.relative_to(root)
    return copied


def _sources(pattern: str, *, context: Path, where: str) -> Iterator[Path]:
    relative = pattern.lstrip("/")
    if any(character in relative for character in "*?["):
        found = sorted(context.glob(relative))
    else:
        found = [path for path in [context / relative] if path.exists()]
    if not found:
        raise DockerfileError(f"{where}: COPY source {pattern} is not in the build context {context}")
    yield from found


def _copy(source: Path, destination: Path, *, copy: Copy, context: Path, where: str) -> None:
    for path in [source, *(source.rglob("*") if source.is_dir() else ())]:
        if not path.resolve().is_relative_to(context):
            raise DockerfileError(f"{where}: {path.relative_to(context)} is a link that leads out of the build context")
    try:
        if source.is_dir():
            shutil.copytree(source, destination, dirs_exist_ok=True)
        else:
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination)
    except OSError as error:  # also shutil.Error, for what is no plain file or folder
        raise DockerfileError(f"{where}: cannot copy {source.relative_to(context)}: {error}") from error
    if copy.mode is not None:
        for path in [destination, *(destination.rglob("*") if destination.is_dir() else ())]:
            path.chmod(copy.mode)


def find_requirements(dockerfile: Dockerfile, copied: dict[str, PurePosixPath], *, name: str) -> str:
    """The image's lock file, as a path in the context: the one that a RUN line installs, or the only one
    copied.

    Raises DockerfileError if there is none, or no telling which.
    """
    candidates = [source for source in copied if _REQUIREMENTS_NAME.fullmatch(PurePosixPath(source).name)]
    installed = {PurePosixPath(match).name for run in dockerfile.runs for match in _RUN_REQUIREMENTS.findall(run)}
    named = [source for source in candidates if copied[source].name in installed]
    chosen = named or candidates
    if len(chosen) == 1:
        return chosen[0]
    problem = f"{', '.join(chosen)} are copied" if chosen else "no requirements*.txt is copied"
    raise DockerfileError(
        f"{name}: {problem}; the local cloud runs an image's Python in an environment made from exactly one "
        "requirements file, which a COPY line must name"
    )


def tree_digest(root: Path) -> str:
    """SHA-256 over the names, modes and contents of all files below `root`."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode & 0o777:o}\0{content}\n".encode())
    return digest.hexdigest()
