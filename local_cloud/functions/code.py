"""Deployment packages on disk: each zip is extracted once, safely, into a folder named by its digest.

A package can come from anybody who may call CreateFunction, so nothing of it may land outside its own folder.
"""

import hashlib
import io
import os
import shutil
import stat
import tempfile
import threading
import zipfile
from pathlib import Path, PurePosixPath

from local_cloud.errors import LocalCloudError

MOST_BYTES = 262_144_000
"""Lambda's quota for the unzipped package: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class CodeError(LocalCloudError):
    """A deployment package that cannot or must not be extracted."""


class CodeStore:
    """Extracted packages below `directory`; a package that is there is never extracted again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def folder(self, code: bytes, sha256: str) -> Path:
        """The folder with the files of `code`; `sha256` is its digest in whatever notation.

        Raises CodeError for anything that is not a zip, is too large, or reaches outside its folder.
        """
        folder = self._directory / hashlib.sha256(sha256.encode()).hexdigest()[:32]
        with self._lock:
            if not folder.exists():
                self._directory.mkdir(parents=True, exist_ok=True)
                _extract_as(folder, code)
        return folder

    def clear(self) -> None:
        """Remove every package."""
        with self._lock:
            shutil.rmtree(self._directory, ignore_errors=True)


def _extract_as(folder: Path, code: bytes) -> None:
    """Extract beside `folder` and rename at the end, so that a half extracted package is never used."""
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix="extracting-"))
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            _extract(archive, scratch)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise CodeError(f"the deployment package cannot be extracted: {error}; upload a plain zip") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _extract(archive: zipfile.ZipFile, root: Path) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise CodeError(f"the unzipped deployment package has {size} bytes; Lambda allows {MOST_BYTES}")
    links = [member for member in members if stat.S_ISLNK(member.external_attr >> 16)]
    for member in members:
        path = _inside(root, member.filename)
        if member.is_dir():
            path.mkdir(parents=True, exist_ok=True)
        elif member not in links:
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            path.chmod(0o644 | (member.external_attr >> 16) & 0o111)
    # Links come last: no file is ever written through one.
    for member in links:
        _link(root, member.filename, target=os.fsdecode(archive.read(member)))
    for member in links:
        _check(root, _inside(root, member.filename), name=member.filename)


def _inside(root: Path, name: str) -> Path:
    """The path of a member, all of whose parts are plain names."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise CodeError(f"the deployment package has the entry {name!r}, which lies outside its folder; remove it")
    return root.joinpath(*parts)


def _link(root: Path, name: str, *, target: str) -> None:
    path = _inside(root, name)
    _check(root, path.parent, name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _check(root: Path, path: Path, *, name: str) -> None:
    """Where a link leads is known only when all links are there: one may lead through another."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise CodeError(f"the deployment package has the link {name!r}, which leads outside its folder; remove it")
