"""The files of one analysis: Model Monitor's three, ours, and the window's profile for later merges."""

from pathlib import Path

from drift_monitor.analysis import AnalysedWindow
from drift_monitor.baseline import PROFILE_FILE, AttributionBaseline
from drift_monitor.bias.measure import bias_figures
from drift_monitor.files.attribution import attribution_document
from drift_monitor.files.baseline_folder import (
    ATTRIBUTION_FILE,
    BIAS_FILE,
    CONSTRAINTS_FILE,
    QUALITY_CONSTRAINTS_FILE,
    QUALITY_STATISTICS_FILE,
    STATISTICS_FILE,
)
from drift_monitor.files.bias import bias_document
from drift_monitor.files.constraints import constraints_document
from drift_monitor.files.documents import Document, write_document
from drift_monitor.files.model_key import ModelKey
from drift_monitor.files.model_quality import (
    figures_of_window,
    quality_constraints_document,
    quality_statistics_document,
)
from drift_monitor.files.statistics import statistics_document
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.storage import write_window_profile
from drift_monitor.report.documents import report_document, violations_document
from drift_monitor.report.page import render_page

VIOLATIONS_FILE, REPORT_FILE, PAGE_FILE = "constraint_violations.json", "monitor_report.json", "report.html"


def write_results(folder: Path, analysed: AnalysedWindow, model: MonitoredModel) -> None:
    """Write all files of an analysis, creating the folder.

    statistics.json and constraints.json are those of the data, or of the model's quality if data quality was not asked
    for, as a monitoring schedule of that kind has them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if analysed.profile.columns:
        write_window_profile(analysed.profile, folder / PROFILE_FILE)
    for name, document in _documents(analysed, model).items():
        write_document(folder / name, document, compact=name == STATISTICS_FILE)
    (folder / PAGE_FILE).write_text(render_page(analysed, model), encoding="utf-8")
    # Last: whoever waits for the report finds the other files there.
    write_document(folder / REPORT_FILE, report_document(analysed.analysis))


def _documents(analysed: AnalysedWindow, model: MonitoredModel) -> dict[str, Document]:
    analysis, key = analysed.analysis, ModelKey(model.baseline.schema, model.answers)
    documents = {VIOLATIONS_FILE: violations_document(analysis)}
    if analysis.features or analysis.checks:
        documents[STATISTICS_FILE] = statistics_document(analysed.profile, key)
        documents[CONSTRAINTS_FILE] = constraints_document(model.baseline.constraints, key)
    if analysis.quality is not None:
        baseline = model.baseline.model_quality
        statistics = quality_statistics_document(figures_of_window(analysis.quality), key)
        constraints = quality_constraints_document(
            baseline.limits if baseline else {}, problem_type=analysis.quality.problem_type, key=key
        )
        documents |= {QUALITY_STATISTICS_FILE: statistics, QUALITY_CONSTRAINTS_FILE: constraints}
        documents.setdefault(STATISTICS_FILE, statistics)
        documents.setdefault(CONSTRAINTS_FILE, constraints)
    if analysis.bias:
        documents[BIAS_FILE] = bias_document(bias_figures(analysis.bias), model.bias_settings, key)
    if (drift := analysis.attribution) is not None and drift.current:
        current = AttributionBaseline(method=drift.method, values=drift.current)
        documents[ATTRIBUTION_FILE] = attribution_document(current, None, key)
    return documents
