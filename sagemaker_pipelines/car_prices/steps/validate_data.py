"""ValidateData: check every row of every file of the snapshot against the data contract and join the files.

Reads  processing/snapshot/*.csv
Writes processing/validated/data.csv         all rows once, ordered by model year and content
       processing/validated/data_report.json what was found, per file and per model year
       processing/no-champion/no-champion.json
The last one is what the pipeline reads in the place of a champion's artifact as long as there is none: an S3
input of a processing job must exist.
"""

import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from data_contracts.contract import DataContract
from data_contracts.file_check import CheckLimits, FileReport, check_path
from sagemaker_pipelines.car_prices.settings import contract as project_contract
from sagemaker_pipelines.car_prices.settings import time_column
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import JobFolders, Parameters, log, run_job, write_json
from sagemaker_pipelines.tables import Table, read_table, write_table

SHOWN_FINDINGS = 5
NO_CHAMPION_FILE = "no-champion.json"


@dataclass(frozen=True)
class Requirements:
    """What the snapshot as a whole must have."""

    minimum_rows: int
    minimum_years: int


def validate_snapshot(snapshot: Path, output: Path, *, contract: DataContract, requirements: Requirements) -> None:
    """Write data.csv and data_report.json; raises StepError naming file, row and column of what is wrong."""
    files = sorted(path for path in snapshot.rglob("*.csv") if path.is_file())
    if not files:
        raise StepError(f"{snapshot} holds no CSV file; upload data to raw/{contract.dataset}/ first")
    reports = {path.name: _check_file(path, contract) for path in files}
    table, repeated = _join(files, contract)
    years = Counter(table.values(time_column()))
    _require(len(table.rows), years, requirements)
    write_table(output / "data.csv", table)
    write_json(
        output / "data_report.json",
        {
            "dataset": contract.dataset,
            "rows": len(table.rows),
            "rows_repeated_across_files": repeated,
            "rows_by_year": dict(years),
            "files": [
                {
                    "name": name,
                    "sha256": report.sha256,
                    "rows": report.rows,
                    "warnings": [asdict(total) for total in report.totals],
                }
                for name, report in reports.items()
            ],
        },
    )
    log(f"{len(files)} files, {len(table.rows)} rows, model years {min(years)} to {max(years)}")


def _check_file(path: Path, contract: DataContract) -> FileReport:
    # Ingestion samples a large file; here every row counts, since a model is made of it.
    report = check_path(path, contract, limits=CheckLimits(full=path.stat().st_size))
    if report.accepted:
        return report
    lines = [
        f"row {finding.row}, column {finding.column}: {finding.problem} '{finding.value}'"
        for finding in report.findings[:SHOWN_FINDINGS]
    ]
    count = sum(total.count for total in report.errors)
    raise StepError(f"{path.name} breaks the data contract {count} times; first: " + "; ".join(lines))


def _join(files: list[Path], contract: DataContract) -> tuple[Table, int]:
    """Every distinct row once, in an order that does not depend on how the rows were spread over files."""
    rows = [tuple(row) for path in files for row in read_table(path).rows]
    time = contract.column_names.index(time_column())
    distinct = sorted(set(rows), key=lambda row: (int(row[time]), row))
    return Table(contract.column_names, [list(row) for row in distinct]), len(rows) - len(distinct)


def _require(rows: int, years: Counter[str], requirements: Requirements) -> None:
    if rows < requirements.minimum_rows:
        raise StepError(f"the snapshot has {rows} rows, training needs {requirements.minimum_rows}; upload more")
    if len(years) < requirements.minimum_years:
        raise StepError(
            f"the snapshot has {len(years)} model years ({', '.join(sorted(years))}), training needs "
            f"{requirements.minimum_years}: upload the years before"
        )


def _body(folders: JobFolders) -> None:
    parameters = Parameters(os.environ)
    validate_snapshot(
        folders.processing("snapshot"),
        folders.processing("validated"),
        contract=project_contract(),
        requirements=Requirements(
            minimum_rows=parameters.count("MINIMUM_ROWS", 500, minimum=1),
            minimum_years=parameters.count("MINIMUM_YEARS", 3, minimum=3),
        ),
    )
    write_json(folders.processing("no-champion") / NO_CHAMPION_FILE, {"champion": "none"})


def main() -> int:
    """Entry point of the job."""
    return run_job("ValidateData", _body)


if __name__ == "__main__":
    sys.exit(main())
