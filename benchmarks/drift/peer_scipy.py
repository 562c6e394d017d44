"""The measured process of pandas and scipy: both tables in memory, a Kolmogorov-Smirnov test for each numeric column
and chi-square for each other one. Runs in the peers' environment; prints one line of JSON."""

import json
import sys
import time

import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

from benchmarks.drift.peak import peak_megabytes


def main(baseline: str, current: str) -> None:
    """Print distances and p-values of the columns."""
    import_cpu = time.process_time()
    known, window = pd.read_parquet(baseline), pd.read_parquet(current)
    distances, drifted = {}, []
    for name in known.columns:
        if known[name].dtype.kind in "if":
            test = ks_2samp(known[name].dropna(), window[name].dropna(), method="asymp")
            distances[name] = float(test.statistic)
        else:
            counts = pd.DataFrame({"known": known[name].value_counts(), "window": window[name].value_counts()})
            counts = counts.fillna(0)
            test = chi2_contingency(counts)
            shares = counts / counts.sum()
            distances[name] = float((shares["known"] - shares["window"]).abs().max())
        if test.pvalue <= 0.01 / len(known.columns):
            drifted.append(name)
    result = {"import_cpu": import_cpu, "rows": len(window), "distances": distances, "drifted": drifted}
    print(json.dumps(result | {"peak_mb": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
