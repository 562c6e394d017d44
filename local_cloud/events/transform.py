"""What a target gets of an event: all of it, a constant, a part, or a text made from parts. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from local_cloud.errors import LocalCloudError
from local_cloud.events.arns import parse_arn

MISSING = object()
_STEP = re.compile(r"\.\*|\[\*\]|\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.\-]+)>")


class TransformError(LocalCloudError):
    """A path or a template without meaning (EventBridge's INVALID_PARAMETER)."""


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], *, rule_arn: str, ingestion_time: str) -> str:
    """The text that is handed to a target (EventBridge's Target structure) for an event."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        value = value_at(event, target["InputPath"])
        return json.dumps(None if value is MISSING else value)
    transformer = target.get("InputTransformer")
    if transformer:
        variables = {name: value_at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
        own = _predefined(event, rule_arn=rule_arn, ingestion_time=ingestion_time)
        return fill_template(transformer["InputTemplate"], variables | own)
    return json.dumps(event)


def value_at(event: Any, path: str) -> Any:
    """The value at a JSON path (dots, indices, wildcards), or MISSING. A wildcard gives a list of what it finds."""
    if not path.startswith("$"):
        raise TransformError(f"the path {path!r} does not begin with '$'")
    found = [event]
    position, several = 1, False
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise TransformError(f"the path {path!r} cannot be read from {path[position:]!r} on")
        position = step.end()
        several = several or step[0] in (".*", "[*]")
        found = [child for value in found for child in _children(value, step)]
    if several:
        return found
    return found[0] if found else MISSING


def fill_template(template: str, variables: Mapping[str, Any]) -> str:
    """Replace each `<name>`; what is no known variable stays, one whose path found nothing becomes empty text."""
    parts: list[str] = []
    position = 0
    for match in _VARIABLE.finditer(template):
        if match[1] not in variables:
            continue
        parts.append(template[position : match.start()])
        parts.append(_as_text(variables[match[1]], quoted=_is_open_string(template[: match.start()])))
        position = match.end()
    return "".join(parts) + template[position:]


def _children(value: Any, step: re.Match[str]) -> list[Any]:
    if step[0] in (".*", "[*]"):
        if isinstance(value, Mapping):
            return list(value.values())
        return list(value) if isinstance(value, list) else []
    if step[2] is not None:
        return value[int(step[2]) :][:1] if isinstance(value, list) else []
    name = step[1] or step[3] or step[4]
    return [value[name]] if isinstance(value, Mapping) and name in value else []


def _predefined(event: Mapping[str, Any], *, rule_arn: str, ingestion_time: str) -> dict[str, Any]:
    return {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": parse_arn(rule_arn).name,
        "aws.events.event.ingestion-time": ingestion_time,
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": dict(event),
    }


def _is_open_string(text: str) -> bool:
    """Whether `text` ends inside a JSON string."""
    return len(re.findall(r'"', re.sub(r"\\.", "", text))) % 2 == 1


def _as_text(value: Any, *, quoted: bool) -> str:
    """A value inside quotes is text: strings are escaped, and objects lose their quotes, as on AWS."""
    text = json.dumps("" if value is MISSING else value)
    if not quoted:
        return text
    if isinstance(value, str) or value is MISSING:
        return text[1:-1]
    return re.sub(r'\\.|"', lambda match: "" if match[0].endswith('"') else match[0], text)
