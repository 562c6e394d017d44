"""Data quality in the report: columns by how much their drift matters to the model, with plots, and broken rules."""

from collections.abc import Iterator, Sequence

from drift_monitor.analysis import AnalysedWindow
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.dataset import ColumnProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.report.markup import Html, badge, figure, folded, html, paragraph, percent, section, table
from drift_monitor.report.plots import column_plot, share_bar
from drift_monitor.report.violations import by_weight, time_text, weight
from drift_monitor.results import DataCheck, FeatureDrift, Verdict

_PLOTS = 12
KEY = Html('<p class="key"><i class="baseline"></i>baseline<i class="window"></i>this window</p>')


def drift_section(analysed: AnalysedWindow, model: MonitoredModel) -> Html | None:
    """None if data quality was not asked for."""
    features = by_weight(analysed.analysis.features)
    if not features:
        return None
    plots = "".join(_card(feature, analysed, model) for feature in features[:_PLOTS] if feature.distance is not None)
    head = ("column", "", "distance", "", "importance", "weight", "q value", "missing", "since")
    return section(
        "What has changed",
        paragraph(
            "The distance is the largest difference of the shares up to any value (numbers) or of any category, 0 to 1."
            " Importance is the column's share of what the model's answers depend on; the weight is their product, by "
            "which columns are ordered. The model's own answer is ordered by its distance."
        ),
        table(head, _rows(features, analysed, model)),
        KEY if plots else None,
        Html(f'<div class="cards">{plots}</div>'),
    )


def checks_section(checks: Sequence[DataCheck]) -> Html | None:
    """Rules that are broken, and how many are kept; None without rules."""
    if not checks:
        return None
    head = ("column", "rule", "", "observed", "expected", "since", "")
    broken = [check for check in checks if check.verdict is not Verdict.OK or check.stands_out]
    kept = len(checks) - len(broken)
    text = f"{kept} of {len(checks)} rules on types, completeness, categories, ranges and columns are kept."
    return section("Rules", paragraph(text), table(head, map(_check, broken)) if broken else None)


def _rows(
    features: Sequence[FeatureDrift], analysed: AnalysedWindow, model: MonitoredModel
) -> Iterator[Sequence[object]]:
    for feature in features:
        yield (
            feature.feature,
            _state(feature),
            figure(feature.distance),
            Html(share_bar(feature.distance)) if feature.distance is not None else None,
            percent(feature.importance),
            figure(weight(feature)) if feature.importance is not None else None,
            f"{feature.q_value:.2g}" if feature.q_value is not None else None,
            _missing(feature.feature, analysed, model),
            _since(feature),
        )


def _since(found: FeatureDrift | DataCheck) -> str | None:
    lasting = f" ({found.windows} windows)" if found.windows > 1 else ""
    return f"{time_text(found.since)}{lasting}" if found.since else None


def _state(found: FeatureDrift | DataCheck) -> Html:
    if found.stands_out and found.verdict is Verdict.OK:
        return Html('<span class="badge unsure">stands out, not yet often enough</span>')
    return badge(found.verdict)


def _missing(name: str, analysed: AnalysedWindow, model: MonitoredModel) -> str:
    profiles = (model.baseline.profile.columns[name], analysed.profile.columns[name])
    before, now = (percent(_missing_share(profile)) for profile in profiles)
    return now if now == before else f"{before} → {now}"


def _missing_share(profile: ColumnProfile) -> float | None:
    values = profile.present + profile.missing
    return profile.missing / values if values else None


def _card(feature: FeatureDrift, analysed: AnalysedWindow, model: MonitoredModel) -> str:
    before, now = model.baseline.profile.columns[feature.feature], analysed.profile.columns[feature.feature]
    plot = column_plot(feature.feature, before, now)
    if not plot:
        return ""
    return f'<div class="card"><h3>{html(feature.feature)}</h3>{plot}{_means(before, now)}{_others(feature)}</div>'


def _means(before: ColumnProfile, now: ColumnProfile) -> str:
    if not (isinstance(before, NumericProfile) and isinstance(now, NumericProfile)):
        return ""
    return f'<div class="soft">mean {figure(before.moments.mean)} → {figure(now.moments.mean)}</div>'


def _others(feature: FeatureDrift) -> str:
    others = (
        ("stability index", feature.population_stability_index),
        ("Jensen-Shannon", feature.jensen_shannon),
        ("Wasserstein (standard deviations)", feature.wasserstein),
    )
    shown = ", ".join(f"{name} {figure(value)}" for name, value in others if value is not None)
    return str(folded("other measures", shown)) if shown else ""


def _check(check: DataCheck) -> Sequence[object]:
    rule = check.check.removesuffix("_check").replace("_", " ")
    observed, expected = percent(check.observed), percent(check.expected)
    return check.feature, rule, _state(check), observed, expected, _since(check), check.description
