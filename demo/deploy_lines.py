"""The CDK CLI's account of a deployment, shortened to a line per resource."""

import re

_EVENT = re.compile(
    r"(?P<stack>\S+) \|\s*(?P<count>[\d/]+) \|[^|]*\| (?P<status>[A-Z_]+)\s*\| (?P<type>[\w:]+)\s*\|\s*(?P<rest>.*)"
)
_UNCHANGED = re.compile(r"\W*(?P<stack>[\w-]+) \(no changes\)")
_NAME_WIDTH = 60


class DeployLines:
    """Prints what became of each resource, under the name of its stack."""

    def __init__(self) -> None:
        self._stack = ""

    def show(self, line: str) -> bool:
        """Print a line of `cdk deploy --progress events` if it tells news; whether it was printed."""
        text = self._shortened(line.strip())
        if text is None:
            return False
        print(text, flush=True)
        return True

    def _shortened(self, line: str) -> str | None:
        unchanged = _UNCHANGED.fullmatch(line)
        if unchanged:
            return f"   {unchanged['stack']}: no changes"
        event = _EVENT.fullmatch(line)
        if event is None:
            return None
        status = event["status"]
        if "FAILED" not in status and "ROLLBACK" not in status and not status.endswith("_COMPLETE"):
            return None
        return self._heading(event["stack"]) + _resource(event, status)

    def _heading(self, stack: str) -> str:
        if stack == self._stack:
            return ""
        self._stack = stack
        return f"   {stack}\n"


def _resource(event: re.Match[str], status: str) -> str:
    """Name and type; whatever is not a plain creation is told in full, with its reason."""
    start = f"     {event['count']:>5}  {event['type']:<34} "
    if "FAILED" in status or "ROLLBACK" in status:
        return f"{start}{status}  {event['rest']}"
    name = event["rest"].partition(" (")[0]
    short = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3]}..."
    return start + (short if status == "CREATE_COMPLETE" else f"{short}  {status}")
