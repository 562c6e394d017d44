"""The evaluation as one HTML page for the people who approve a model. No script, no link, nothing fetched."""

from dataclasses import dataclass
from html import escape
from typing import Any

from sagemaker_pipelines.evaluation import Predictions
from sagemaker_pipelines.svg import Series, bars, scatter

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.accepted{color:#17692b}.rejected{color:#a31515}"
    ".origin td{overflow-wrap:anywhere}"
)
# Title and number format of each metric.
_METRICS = {
    "mae": ("mean absolute error, USD", ",.0f"),
    "rmse": ("root mean squared error, USD", ",.0f"),
    "mape": ("mean absolute percentage error, %", ".1f"),
    "bias": ("bias (mean signed error), %", "+.1f"),
    "r2": ("R²", ".3f"),
}
_ORIGINS = {"data version": "data_version", "commit": "commit", "artifact SHA-256": "sha256"}


@dataclass(frozen=True)
class EvaluationReport:
    """Content of evaluation.json and the predictions behind it."""

    result: dict[str, Any]
    predictions: Predictions


def render_report(report: EvaluationReport) -> str:
    """The page as HTML text."""
    result = report.result
    sections = [
        _decision(result),
        "<h2>Metrics on the holdout</h2>",
        _metrics_table(result),
        _comparison(result),
        "<h2>Predicted and actual price</h2>",
        _scatter(report.predictions),
        *(_slice(dimension, groups) for dimension, groups in result["slices"].items()),
        "<h2>Origin</h2>",
        _origin(result),
    ]
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Model evaluation</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _decision(result: dict[str, Any]) -> str:
    decision = result["decision"]
    verdict = "accepted" if decision["accepted"] else "rejected"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in decision["reasons"])
    years = ", ".join(result["dataset"]["model_years"])
    rows = result["dataset"]["item_count"]
    return (
        f'<h1>car_prices: candidate <span class="{verdict}">{verdict}</span></h1>'
        f"<p>Judged on {rows} cars of model year {escape(years)}, which it was not fitted on.</p>"
        f"<ul>{reasons or '<li>every limit is kept</li>'}</ul>"
    )


def _metrics_table(result: dict[str, Any]) -> str:
    plain = result["plain_baseline"]
    comparison = result["champion_comparison"]
    rows = []
    for name, (title, form) in _METRICS.items():
        metric = result["regression_metrics"][name]
        champion = format(comparison["champion"][name], form) if comparison else "none"
        rows.append(
            f"<tr><td>{title}</td><td>{metric['value']:{form}}</td>"
            f"<td>{metric['interval_95_low']:{form}} to {metric['interval_95_high']:{form}}</td>"
            f"<td>{champion}</td><td>{plain[name]:{form}}</td></tr>"
        )
    head = "<tr><th></th><th>candidate</th><th>95 % interval</th><th>champion</th><th>plain baseline</th></tr>"
    return f"<table>{head}{''.join(rows)}</table><p>Plain baseline: {escape(plain['description'])}.</p>"


def _comparison(result: dict[str, Any]) -> str:
    comparison = result["champion_comparison"]
    if comparison is None:
        return "<p>There is no champion to compare with: this would be the first approved model.</p>"
    difference = comparison["mae_difference"]
    return (
        f"<p>Against the champion ({escape(result['champion_model_package_arn'])}) on the same cars, the mean "
        f"absolute error changes by {difference['value']:+,.0f} USD ({comparison['mae_change_percent']:+.1f} %), "
        f"95 % interval {difference['interval_95_low']:+,.0f} to {difference['interval_95_high']:+,.0f}.</p>"
    )


def _scatter(predictions: Predictions) -> str:
    series = [Series("candidate", predictions.candidate.tolist())]
    if predictions.champion is not None:
        series.insert(0, Series("champion", predictions.champion.tolist()))
    return scatter(predictions.actual.tolist(), series, unit="USD")


def _slice(dimension: str, groups: dict[str, dict[str, float]]) -> str:
    title = f"<h2>Error by {escape(dimension)}</h2>"
    if not groups:
        return f"{title}<p>No group has enough rows.</p>"
    labels = [f"{name} ({metrics['rows']:.0f})" for name, metrics in groups.items()]
    values = [metrics["mape"] for metrics in groups.values()]
    return title + bars(labels, [Series("candidate", values)], unit="mean absolute percentage error, % (rows)")


def _origin(result: dict[str, Any]) -> str:
    """One column a model, so that long hashes stay on the page."""
    models = {role: result[role] for role in ("candidate", "champion") if result[role]}
    head = "".join(f"<th>{role}</th>" for role in models)
    names = "".join(f"<td>{escape(str((model['model'] or {}).get('name')))}</td>" for model in models.values())
    rows = "".join(
        f"<tr><td>{title}</td>{''.join(f'<td>{escape(str(model[key]))}</td>' for model in models.values())}</tr>"
        for title, key in _ORIGINS.items()
    )
    return f'<table class="origin"><tr><th></th>{head}</tr><tr><td>model</td>{names}</tr>{rows}</table>'
