"""Files that are replaced in one step."""

import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file's content; a reader, or a crash, sees the old text or the new one, never a part.

    Any number of processes and threads may do so at once: the last one's text stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False) as file:
        fresh = Path(file.name)
        file.write(text)
    fresh.chmod(mode)
    fresh.replace(path)
