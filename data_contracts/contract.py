"""The data contract of one dataset: its columns, types, ranges and roles, read from a TOML file.

One contract feeds the ingest checks, the Glue table, the validate step and the drift baseline. Must use
nothing beyond the standard library: a Lambda function, a SageMaker job and the synth of a stack all import
it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

ColumnType = Literal["string", "integer", "number"]
ColumnRole = Literal["feature", "label", "time"]
Scalar = str | int | float

COLUMN_TYPES: tuple[str, ...] = ("string", "integer", "number")
COLUMN_ROLES: tuple[str, ...] = ("feature", "label", "time")

# Lower case only: Glue and Athena fold names, so `Make` and `make` would be one column there.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
_CONTRACT_KEYS = frozenset(
    {
        "dataset",
        "description",
        "format",
        "delimiter",
        "key",
        "time_column",
        "label",
        "minimum_rows",
        "minimum_captured_rows",
        "columns",
    }
)
_COLUMN_KEYS = frozenset(
    {
        "name",
        "source",
        "type",
        "required",
        "allowed",
        "minimum",
        "maximum",
        "sensitive",
        "role",
        "description",
    }
)


class DataContractError(Exception):
    """Base of every error of this package."""


class ContractError(DataContractError):
    """A contract file that cannot be used; `problems` lists all of them, not just the first."""

    def __init__(self, where: str, problems: tuple[str, ...]) -> None:
        self.where = where
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{where}: {len(problems)} problem(s) in the data contract, correct them all:\n{lines}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `minimum` and `maximum` are inclusive and in the column's own unit."""

    name: str
    type: ColumnType
    role: ColumnRole = "feature"
    required: bool = True
    allowed: tuple[Scalar, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sensitive: bool = False
    source: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class DataContract:
    """What every file of one dataset must look like: the columns, in this order, and nothing else.

    `minimum_rows` is for files that somebody exports, where fewer mean that the export broke off;
    `minimum_captured_rows` for those that monitors write, where they mean that there was little traffic.
    """

    dataset: str
    columns: tuple[Column, ...]
    description: str = ""
    delimiter: str = ","
    key: tuple[str, ...] = ()
    time_column: str | None = None
    label: str | None = None
    minimum_rows: int = 1
    minimum_captured_rows: int = 1

    @property
    def column_names(self) -> tuple[str, ...]:
        """The header that a file must have."""
        return tuple(column.name for column in self.columns)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model may see."""
        return tuple(column for column in self.columns if column.role == "feature")

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"dataset {self.dataset} has no column {name!r}; it has {', '.join(self.column_names)}")

    def for_captured(self) -> "DataContract":
        """The same contract as it holds for a file that a monitor wrote."""
        return replace(self, minimum_rows=self.minimum_captured_rows)


def load_contract(path: Path) -> DataContract:
    """Read and check the contract at `path`; ContractError with every problem found."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(str(path), (f"cannot be read as UTF-8 text: {error}",)) from error
    return parse_contract(text, where=str(path))


def parse_contract(text: str, *, where: str = "data contract") -> DataContract:
    """Read and check a contract from its TOML text; ContractError with every problem found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContractError(where, (f"not valid TOML: {error}",)) from error
    problems: list[str] = []
    table = _Table(document, where="contract", problems=problems)
    table.refuse_unknown(_CONTRACT_KEYS)
    columns = _columns(document.get("columns"), problems)
    contract = DataContract(
        dataset=table.text("dataset", required=True),
        columns=columns,
        description=table.text("description"),
        delimiter=table.text("delimiter", default=","),
        key=table.texts("key"),
        time_column=table.text("time_column") or None,
        label=table.text("label") or None,
        minimum_rows=table.count("minimum_rows", default=1),
        minimum_captured_rows=table.count("minimum_captured_rows", default=1),
    )
    if table.text("format", default="csv") != "csv":
        problems.append('contract: format must be "csv", the only format that ingestion reads')
    problems.extend(_consistency_problems(contract))
    if problems:
        raise ContractError(where, tuple(problems))
    return contract


class _Table:
    """Typed access to one TOML table; collects a problem instead of raising, so that all come out at once."""

    def __init__(self, values: Mapping[str, object], *, where: str, problems: list[str]) -> None:
        self._values = values
        self._where = where
        self._problems = problems

    def _problem(self, text: str) -> None:
        self._problems.append(f"{self._where}: {text}")

    def refuse_unknown(self, known: frozenset[str]) -> None:
        for name in sorted(set(self._values) - known):
            self._problem(f"unknown setting {name!r}; known are {', '.join(sorted(known))}")

    def text(self, name: str, *, required: bool = False, default: str = "") -> str:
        value = self._values.get(name, default)
        if not isinstance(value, str):
            self._problem(f"{name} must be text, not {value!r}")
            return default
        if required and not value:
            self._problem(f"{name} is missing")
        return value

    def choice(self, name: str, choices: tuple[str, ...], *, default: str) -> str:
        value = self.text(name, default=default)
        if value not in choices:
            self._problem(f"{name} must be one of {', '.join(choices)}, not {value!r}")
            return choices[0]
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            self._problem(f"{name} must be true or false, not {value!r}")
            return default
        return value

    def count(self, name: str, *, default: int) -> int:
        value = self._values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self._problem(f"{name} must be a whole number of at least 0, not {value!r}")
            return default
        return value

    def number(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        # The bounds also refuse nan, inf and whole numbers that no float can hold.
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
            self._problem(f"{name} must be a number, not {value!r}")
            return None
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._values.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self._problem(f"{name} must be a list of texts, not {values!r}")
            return ()
        return tuple(cast(list[str], values))

    def scalars(self, name: str, type_: str) -> tuple[Scalar, ...]:
        values = self._values.get(name, [])
        wanted: tuple[type, ...] = {"string": (str,), "integer": (int,)}.get(type_, (int, float))
        if not isinstance(values, list) or any(
            isinstance(value, bool) or not isinstance(value, wanted) for value in values
        ):
            self._problem(f"{name} must be a list of {type_} values, not {values!r}")
            return ()
        return tuple(cast(list[Scalar], values))


def _columns(value: object, problems: list[str]) -> tuple[Column, ...]:
    if not isinstance(value, list) or not value:
        problems.append("contract: needs at least one [[columns]] table")
        return ()
    columns = []
    for number, entry in enumerate(value, start=1):
        if isinstance(entry, dict):
            columns.append(_column(entry, number=number, problems=problems))
        else:
            problems.append(f"column {number}: must be a table, not {entry!r}")
    return tuple(columns)


def _column(entry: Mapping[str, object], *, number: int, problems: list[str]) -> Column:
    table = _Table(entry, where=f"column {number} ({entry.get('name', 'no name')})", problems=problems)
    table.refuse_unknown(_COLUMN_KEYS)
    type_ = table.choice("type", COLUMN_TYPES, default="")
    column = Column(
        name=table.text("name", required=True),
        type=cast(ColumnType, type_),
        role=cast(ColumnRole, table.choice("role", COLUMN_ROLES, default="feature")),
        required=table.flag("required", default=True),
        allowed=table.scalars("allowed", type_),
        minimum=table.number("minimum"),
        maximum=table.number("maximum"),
        sensitive=table.flag("sensitive", default=False),
        source=table.text("source"),
        description=table.text("description"),
    )
    where = f"column {number} ({column.name})"
    if column.name and not _NAME.fullmatch(column.name):
        problems.append(f"{where}: name must be snake_case (a-z, 0-9, _), at most 128 characters")
    if type_ == "string" and (column.minimum is not None or column.maximum is not None):
        problems.append(f"{where}: minimum and maximum are for integer and number columns only")
    if column.minimum is not None and column.maximum is not None and column.minimum > column.maximum:
        problems.append(f"{where}: minimum {column.minimum} is above maximum {column.maximum}")
    return column


def _consistency_problems(contract: DataContract) -> list[str]:
    """Problems that only the whole contract shows: names used twice, or that point at no column."""
    problems: list[str] = []
    names = contract.column_names
    if contract.dataset and not _NAME.fullmatch(contract.dataset):
        problems.append(f"contract: dataset {contract.dataset!r} must be snake_case: it is a folder of the lake")
    if len(contract.delimiter) != 1 or contract.delimiter in '"\r\n':
        problems.append(f"contract: delimiter must be one character other than a quote, not {contract.delimiter!r}")
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"contract: column {name!r} is there {names.count(name)} times")
    for name in contract.key:
        if name not in names:
            problems.append(f"contract: key names {name!r}, which is no column")
    for setting, target, role in (
        ("time_column", contract.time_column, "time"),
        ("label", contract.label, "label"),
    ):
        having = [column.name for column in contract.columns if column.role == role]
        if having != ([target] if target else []):
            problems.append(
                f"contract: {setting} is {target!r}, but the columns with role {role!r} are {having}; "
                "name exactly that one column in both places"
            )
    return problems
