"""One monitoring job: reads the window and the baseline, analyses, writes the results, the metrics and the message.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html
"""

import sys
import traceback
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from drift_monitor.analysis import AnalysedWindow, AnalysisRequest, analyse_window
from drift_monitor.attribution.served_model import ServedModel, read_served_model
from drift_monitor.errors import MonitorError
from drift_monitor.files.documents import read_document
from drift_monitor.job.baseline import read_job_baseline
from drift_monitor.job.captured_columns import with_captured_columns
from drift_monitor.job.dataset import find_dataset, window_data
from drift_monitor.job.labelled_rows import LabelledFile
from drift_monitor.job.settings import JobSettings, job_base, parse_settings
from drift_monitor.metrics import metric_lines, model_monitor_lines
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.report.result_folder import write_results
from drift_monitor.report.violations import find_violations
from drift_monitor.results import Verdict

NEEDS_LABELS = frozenset({"model_quality", "bias"})
# SageMaker keeps so many characters of an exit message and of a reason for failure.
_MESSAGE_CHARACTERS = 1024


def run_job(environment: Mapping[str, str]) -> int:
    """Run the job of an environment and return its exit status.

    A MonitorError shows as its message alone. Anything else is a bug: the log gets the stack trace, the failure file
    one line that points to the log.
    """
    try:
        _run(parse_settings(environment))
    except MonitorError as error:
        return _fail(environment, str(error))
    except Exception as error:  # noqa: BLE001  last resort: SageMaker must get a reason, the log the trace
        traceback.print_exc()
        return _fail(environment, f"bug in the monitor, {type(error).__name__}: {error}; see the job's log")
    return 0


def exit_message(analysed: AnalysedWindow) -> str:
    """What SageMaker shows of the job; the first word decides the status of a schedule's execution."""
    found = find_violations(analysed.analysis)
    if found:
        plural = "violation" if len(found) == 1 else "violations"
        details = "; ".join(violation.description for violation in found)
        text = f"CompletedWithViolations: Job completed successfully with {len(found)} {plural}. {details}"
    else:
        text = "Completed: Job completed successfully with no violations."
        if analysed.analysis.verdict is Verdict.INSUFFICIENT_DATA:
            text += f" There is too little data to judge: {analysed.analysis.rows} rows."
    return text.encode()[:_MESSAGE_CHARACTERS].decode(errors="ignore")


def _run(settings: JobSettings) -> None:
    analyses = settings.analyses or _configured_analyses(settings)
    dataset = find_dataset(settings.source)
    model = with_captured_columns(read_job_baseline(settings), dataset.captured)
    subject, window = settings.subject, settings.window
    _log(f"{subject.monitor}: {len(dataset.captured)} files, analyses {', '.join(sorted(analyses))}")
    data = window_data(
        dataset, model, kind=settings.format, window=window, with_labels=not NEEDS_LABELS.isdisjoint(analyses)
    )
    request = AnalysisRequest(
        subject=subject,
        window=window,
        analyses=analyses,
        policy=settings.policy or dataset.request.policy,
        history=dataset.request.history,
    )
    with ExitStack() as stack:
        labelled = _labelled_file(settings, model)
        if labelled is not None:
            stack.enter_context(labelled)
        analysed = analyse_window(data, model, request, served=_served(settings, analyses), labelled=labelled)
    write_results(settings.output, analysed, model)
    _publish(settings, analysed, analyses)
    message = exit_message(analysed)
    settings.message_file.parent.mkdir(parents=True, exist_ok=True)
    settings.message_file.write_text(message, encoding="utf-8")
    _log(message)


def _configured_analyses(settings: JobSettings) -> frozenset[str]:
    """A schedule of bias or explainability hands over Clarify's configuration; one without is of data quality."""
    if not settings.analysis_config.exists():
        return frozenset({"data_quality"})
    methods = read_document(settings.analysis_config).get("methods", {})
    return frozenset({"attribution" if "shap" in methods else "bias"})


def _served(settings: JobSettings, analyses: frozenset[str]) -> ServedModel | None:
    if "attribution" not in analyses or settings.model is None or not settings.model.exists():
        return None
    return read_served_model(settings.model)


def _labelled_file(settings: JobSettings, model: MonitoredModel) -> LabelledFile | None:
    label = model.answers.label
    if settings.labelled is None or label is None:
        return None
    end = f"-{settings.window.end:%Y%m%dT%H%M%SZ}" if settings.window else ""
    name = f"{settings.subject.monitor}{end}.csv"
    return LabelledFile(settings.labelled / name, schema=model.baseline.schema, label=label)


def _publish(settings: JobSettings, analysed: AnalysedWindow, analyses: frozenset[str]) -> None:
    if not settings.publish_metrics:
        return
    now = datetime.now(UTC)
    for line in metric_lines(analysed.analysis, analyses, now=now):
        _log(line)
    file = settings.metrics_file
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = model_monitor_lines(analysed.analysis, analysed.profile, schedule=settings.subject.monitor)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _fail(environment: Mapping[str, str], reason: str) -> int:
    print(reason, file=sys.stderr, flush=True)
    file = job_base(environment) / "output" / "failure"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(reason[:_MESSAGE_CHARACTERS], encoding="utf-8")
    return 1


def _log(message: str) -> None:
    print(message, flush=True)
