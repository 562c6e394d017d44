"""Files that are replaced in one step."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local_cloud.atomic_files import write_atomically


def test_of_many_writers_at_once_each_succeeds_and_one_text_stays_whole(tmp_path: Path) -> None:
    """Threads of one process do not take each other's unfinished files, and leave none behind."""
    path = tmp_path / "settings" / "file.json"
    texts = [str(number) * 10_000 for number in range(10)]

    with ThreadPoolExecutor(len(texts)) as writers:
        list(writers.map(lambda text: write_atomically(path, text), texts * 20))

    assert path.read_text() in texts
    assert list(path.parent.iterdir()) == [path]


def test_the_file_has_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    """Only its owner may read it, unless it is a program."""
    write_atomically(tmp_path / "secret", "text")
    write_atomically(tmp_path / "program", "text", mode=0o755)

    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "program").stat().st_mode & 0o777 == 0o755
