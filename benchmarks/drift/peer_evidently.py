"""The measured process of Evidently: its drift preset with nothing changed, once for each window that is given.

`python -m benchmarks.drift.peer_evidently BASELINE WINDOW...` in the peers' environment; prints one line of JSON.
"""

import json
import sys
import time

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

from benchmarks.drift.peak import peak_megabytes


def drifted_columns(known: pd.DataFrame, window: pd.DataFrame) -> list[str]:
    """The columns that the preset calls drifted: a distance from its threshold on, or a p-value below it."""
    metrics = Report([DataDriftPreset()]).run(window, known).dict()["metrics"]
    total, columns = metrics[0], metrics[1:]
    found = []
    for metric in columns:
        config, value = metric["config"], float(metric["value"])
        if "p_value" in config["method"]:
            drifted = value < config["threshold"]
        else:
            drifted = value >= config["threshold"]
        if drifted:
            found.append(config["column"])
    if len(found) != int(total["value"]["count"]):
        raise RuntimeError(f"Evidently counts {total['value']['count']} drifted columns, these are {found}")
    return found


def main(baseline: str, *windows: str) -> None:
    """Print the drifted columns of every window."""
    import_cpu = time.process_time()
    known = pd.read_parquet(baseline)
    drifted = []
    rows = 0
    for path in windows:
        window = pd.read_parquet(path)
        rows += len(window)
        drifted.append(drifted_columns(known, window))
    print(json.dumps({"import_cpu": import_cpu, "rows": rows, "drifted": drifted, "peak_mb": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
