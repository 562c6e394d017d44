"""Model artifacts (`model.tar.gz`): packed so that equal content gives equal bytes, unpacked safely.

An archive is data of unknown origin: nothing outside the target folder is ever written, no link or device is
created, and no owner or mode is taken over.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from sagemaker_pipelines.errors import StepError

MODEL_ARCHIVE = "model.tar.gz"
# A model of this project has a few hundred kilobytes; a thousand times as much is a mistake or an attack.
MAXIMUM_UNPACKED_BYTES = 1 << 30


def sha256_hex(content: bytes) -> str:
    """SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A gzip-compressed tar whose bytes depend on names and contents alone: sorted, no time, no owner."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(files[name]))
    return gzip.compress(archive.getvalue(), compresslevel=6, mtime=0)


def unpack(archive: Path) -> dict[str, bytes]:
    """Regular files of a model.tar.gz by name; raises StepError if it is missing, damaged or unsafe."""
    if not archive.is_file():
        raise StepError(f"the model artifact {archive} is missing; check that its S3 object still exists")
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for member in tar:
                _refuse_unsafe(member, archive)
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    total += member.size
                    if total > MAXIMUM_UNPACKED_BYTES:
                        raise StepError(f"{archive} unpacks to more than {MAXIMUM_UNPACKED_BYTES} bytes")
                    files[member.name.removeprefix("./")] = content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise StepError(f"the model artifact {archive} is damaged ({error}); it cannot be unpacked") from None
    return files


def _refuse_unsafe(member: tarfile.TarInfo, archive: Path) -> None:
    path = Path(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise StepError(f"{archive} has the unsafe member '{member.name}'; it was not unpacked")


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder, creating the folders between."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
