"""model.tar.gz and output.tar.gz: the same files always give the same bytes."""

import gzip
import tarfile
from pathlib import Path


def write_archive(folder: Path, target: Path) -> bool:
    """Pack the files of `folder` into a tar.gz; False (and no file) if there are none.

    Members are sorted and carry no time, owner or machine-dependent mode, so a digest of the archive identifies the
    model. SageMaker itself keeps times; nothing reads them.
    """
    members = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_dir())
    if not any(path.is_file() for path in members):
        return False
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in members:
            archive.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    return True


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member
