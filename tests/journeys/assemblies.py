"""The app's assembly as other settings of a stage would make it, without a synthesis for each test."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tests.synthesized import synthesized_assembly

_SLOWEST_MILLISECONDS = 60_000


def unhurried_assembly(folder: Path, *, canary_seconds: int = 300) -> Path:
    """A copy whose releases do not depend on how fast the machine is that runs the tests.

    As with `latency_budget_ms` and `latency_p99_ms` of a minute, so that answers of a busy machine neither fail the
    verification nor roll anything back, and with `wait_interval_seconds` as given: a canary bakes that long (seconds of
    cloud time) unless an alarm ends it.
    """
    assembly = Path(shutil.copytree(synthesized_assembly(), folder / "cdk.out"))
    changes: Counter[str] = Counter()

    def changed(member: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if "WaitIntervalInSeconds" in member:
            given = {"WaitIntervalInSeconds": canary_seconds}
        elif "LATENCY_BUDGET_MS" in member:
            given = {"LATENCY_BUDGET_MS": str(_SLOWEST_MILLISECONDS)}
        elif member.get("MetricName") == "ModelLatency" and "Threshold" in member:
            given = {"Threshold": 1000 * _SLOWEST_MILLISECONDS}
        changes.update(given)
        return {**member, **given}

    for template in assembly.rglob("*.template.json"):
        template.write_text(json.dumps(json.loads(template.read_text(), object_hook=changed)))
    assert set(changes) == {"WaitIntervalInSeconds", "LATENCY_BUDGET_MS", "Threshold"}, changes
    return assembly
