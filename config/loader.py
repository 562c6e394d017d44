"""Reads the settings of a stage from its TOML file and reports every mistake of the file at once.

Must not fall back to a default when a file is missing or wrong, and must not look at the environment.
"""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.settings import Settings

STAGES_FOLDER = Path(__file__).resolve().parent / "stages"


class ConfigError(Exception):
    """Base of this package's errors; the message is meant for the person who started the synth."""


class UnknownStageError(ConfigError):
    """There is no file for the stage."""


class InvalidSettingsError(ConfigError):
    """A stage file cannot be used; the message lists every mistake in it."""


def load_settings(stage: str, *, folder: Path = STAGES_FOLDER) -> Settings:
    """Settings of `stage`, from `<folder>/<stage>.toml`.

    Raises UnknownStageError without such a file, and InvalidSettingsError with all mistakes of the file.
    """
    stages = sorted(path.stem for path in folder.glob("*.toml"))
    if stage not in stages:
        raise UnknownStageError(
            f"no stage {stage!r}{_did_you_mean(stage, stages)}: choose one of {', '.join(stages)} "
            f"with `-c stage=...`, or add {folder.name}/{stage}.toml"
        )
    path = folder / f"{stage}.toml"
    document = _read(path)
    if "stage" in document:
        raise InvalidSettingsError(f"{path}: stage: the file name says which stage this is; remove the key")
    try:
        return Settings.model_validate({**document, "stage": stage})
    except ValidationError as error:
        lines = [f"  {_explain(problem)}" for problem in error.errors()]
        raise InvalidSettingsError("\n".join([f"{path}: {len(lines)} invalid setting(s):", *lines])) from error


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettingsError(f"{path}: not valid TOML: {error}") from error


def _explain(problem: ErrorDetails) -> str:
    """One line: key path, value, what is allowed."""
    location = problem["loc"]
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        allowed = _keys_beside(location)
        name = str(location[-1])
        return f"{key}: unknown key{_did_you_mean(name, allowed)}; allowed here: {', '.join(allowed)}"
    allowed_text = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(problem["input"], dict):
        # The mistake lies between the values of a table; the message names them.
        return f"{key}: {allowed_text}"
    return f"{key} = {problem['input']!r}: {allowed_text}"


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """Keys that the table at the parent of `location` may hold."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        annotation = model.model_fields[str(part)].annotation
        # An optional table is a union of its model and None.
        tables = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        nested = next((kind for kind in tables if issubclass(kind, BaseModel)), None)
        if nested is None:
            return []
        model = nested
    return sorted(name for name in model.model_fields if not (model is Settings and name == "stage"))


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
