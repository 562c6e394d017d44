"""Checks a definition before the interpreter sees it, so that a mistake is found at deploy time and named by its state.

It checks the graph and what the local cloud does not execute; the fields of each state are the interpreter's to read.
Codes and paths are those of AWS's ValidateStateMachineDefinition.
https://states-language.net/spec.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.service import ServiceError
from local_cloud.stepfunctions.resources import UnknownResource, parse_resource

_TYPES = ("Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait")
_TERMINAL = ("Fail", "Succeed")
_LONGEST_NAME = 80
_SCHEMA = "SCHEMA_VALIDATION_FAILED"
_TRANSITION = "MISSING_TRANSITION_TARGET"


@dataclass(frozen=True)
class Fault:
    """One mistake; `location` is a path into the definition, such as /States/Train/Next."""

    code: str
    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location or '/'}"


def check_definition(text: str, *, parse: Callable[[str], None]) -> None:
    """Raise InvalidDefinition for anything that cannot be executed; `parse` is the interpreter's, raises ValueError."""
    faults = find_faults(text) or _unreadable(text, parse)
    if faults:
        shown = ", ".join(map(str, faults))
        raise ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{shown}'")


def find_faults(text: str) -> list[Fault]:
    """All mistakes in the graph of a definition."""
    try:
        machine = json.loads(text)
    except ValueError as error:
        return [Fault("INVALID_JSON_DESCRIPTION", f"the definition is not JSON: {error}", "")]
    return list(_machine(machine, ""))


def _unreadable(text: str, parse: Callable[[str], None]) -> list[Fault]:
    """The states that the interpreter cannot read: it names lines only, so each state is tried alone."""
    try:
        parse(text)
    except ValueError as error:
        machine = json.loads(text)
        alone = [
            (name, _complaint({"StartAt": name, "States": {name: state}}, parse))
            for name, state in machine["States"].items()
        ]
        found = [Fault(_SCHEMA, complaint, f"/States/{name}") for name, complaint in alone if complaint]
        return found or [Fault(_SCHEMA, str(error), "")]
    return []


def _complaint(machine: Mapping[str, Any], parse: Callable[[str], None]) -> str | None:
    try:
        parse(json.dumps(machine))
    except ValueError as error:
        return str(error)
    return None


def _machine(machine: Any, path: str) -> Iterator[Fault]:
    """A state machine, a branch of a Parallel state or the processor of a Map state."""
    if not isinstance(machine, Mapping) or not isinstance(machine.get("States"), Mapping) or not machine["States"]:
        yield Fault(_SCHEMA, "a state machine needs States, an object of at least one state", path)
        return
    states, start = machine["States"], machine.get("StartAt")
    yield from _language(machine, path)
    if start not in states:
        yield Fault(_TRANSITION, f"Missing 'StartAt' target: {start}", f"{path}/StartAt")
    for name, state in states.items():
        yield from _state(name, state, states, f"{path}/States/{name}")
    reachable = _reachable(states, start)
    for name in states:
        if start in states and name not in reachable:
            yield Fault(_TRANSITION, f'State "{name}" is not reachable.', f"{path}/States/{name}")


def _language(part: Mapping[str, Any], path: str) -> Iterator[Fault]:
    if part.get("QueryLanguage", "JSONPath") != "JSONPath":
        text = "the local cloud does not evaluate JSONata; write it with JSONPath (CDK: without the json_ata factories)"
        yield Fault("UNSUPPORTED_QUERY_LANGUAGE", text, f"{path}/QueryLanguage")


def _state(name: str, state: Any, states: Mapping[str, Any], path: str) -> Iterator[Fault]:
    if not isinstance(state, Mapping) or state.get("Type") not in _TYPES:
        known = ", ".join(_TYPES)
        yield Fault(_SCHEMA, f'State "{name}" needs a Type of: {known}', path)
        return
    yield from _language(state, path)
    if len(name) > _LONGEST_NAME:
        yield Fault(_SCHEMA, f'the name of state "{name}" is longer than {_LONGEST_NAME} characters', path)
    yield from _ends(state, path)
    for target, where in _transitions(state):
        if target not in states:
            yield Fault(_TRANSITION, f"Missing '{where.rpartition('/')[2]}' target: {target}", f"{path}{where}")
    if state["Type"] == "Task":
        yield from _task(state, path)
    for inner, where in _nested(state):
        yield from _machine(inner, f"{path}{where}")
    if _processor(state).get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        yield Fault(_SCHEMA, "the local cloud does not execute Map states in DISTRIBUTED mode; use INLINE", path)


def _ends(state: Mapping[str, Any], path: str) -> Iterator[Fault]:
    kind, leads, ends = state["Type"], "Next" in state, bool(state.get("End"))
    if kind == "Choice":
        if not isinstance(state.get("Choices"), list) or not state["Choices"]:
            yield Fault(_SCHEMA, "a Choice state needs Choices, a list of at least one rule", path)
        elif any("Next" not in choice for choice in state["Choices"]):
            yield Fault(_SCHEMA, "every rule of a Choice state needs a Next", f"{path}/Choices")
    elif kind not in _TERMINAL and leads == ends:
        yield Fault(_SCHEMA, f'a {kind} state needs either Next or "End": true', path)


def _transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of the states that may follow, and where the state says so."""
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], f"/{field}"
    for field in ("Choices", "Catch"):
        for index, entry in enumerate(state.get(field) or []):
            if "Next" in entry:
                yield entry["Next"], f"/{field}[{index}]/Next"


def _nested(state: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    for index, branch in enumerate(state.get("Branches") or []):
        yield branch, f"/Branches[{index}]"
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield state[field], f"/{field}"


def _processor(state: Mapping[str, Any]) -> Mapping[str, Any]:
    processor = state.get("ItemProcessor")
    return processor if isinstance(processor, Mapping) else {}


def _task(state: Mapping[str, Any], path: str) -> Iterator[Fault]:
    if "Credentials" in state:
        text = "the local cloud calls every task with the state machine's own role; Credentials are not supported"
        yield Fault(_SCHEMA, text, f"{path}/Credentials")
    try:
        parse_resource(str(state.get("Resource", "")))
    except UnknownResource as error:
        yield Fault(_SCHEMA, str(error), f"{path}/Resource")


def _reachable(states: Mapping[str, Any], start: Any) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found or name not in states or not isinstance(states[name], Mapping):
            continue
        found.add(name)
        waiting += [target for target, _ in _transitions(states[name])]
    return found
