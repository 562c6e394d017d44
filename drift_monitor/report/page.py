"""The report of one analysis as a page for the people who answer for the model: the verdict first, then why.

One file: no script, no link, nothing fetched. Works in light and dark.
"""

from html import escape

from drift_monitor.analysis import AnalysedWindow
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.report.drift_section import checks_section, drift_section
from drift_monitor.report.health_section import health_section
from drift_monitor.report.markup import Html, badge, bullets, joined, paragraph, table
from drift_monitor.report.outcome_sections import attribution_section, bias_section, quality_section
from drift_monitor.report.violations import find_violations, time_text
from drift_monitor.results import Analysis, Verdict

_STYLE = """
:root{color-scheme:light dark;--text:#222;--page:#fff;--soft:#f3f4f6;--rule:#d6d9de;--baseline:#8a94a6;
--window:#1f6fc4;--good:#17692b;--bad:#b3261e;--unsure:#8a5a00}
@media(prefers-color-scheme:dark){:root{--text:#e6e6e6;--page:#17191c;--soft:#22262b;--rule:#3a4048;
--baseline:#8f9bb0;--window:#62a8f5;--good:#6fcf8a;--bad:#ff8a80;--unsure:#f0b94d}}
body{font:15px/1.5 system-ui,sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:var(--text);
background:var(--page)}
h1{font-size:1.5em;margin:0 0 .3em}h2{font-size:1.15em;margin:2em 0 .5em;border-bottom:1px solid var(--rule)}
h3{font-size:1em;margin:.2em 0}table{border-collapse:collapse;margin:.5em 0}
td,th{padding:.25em .8em;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top}
td:first-child,th:first-child,.left td,.left th{text-align:left}.left td{overflow-wrap:anywhere}
.scroll{overflow-x:auto}.badge{font-weight:600;white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}
.unsure{color:var(--unsure)}.soft{color:var(--baseline)}.cards{display:flex;flex-wrap:wrap;gap:1em}
.card{background:var(--soft);border-radius:6px;padding:.6em .8em}summary{cursor:pointer}code{overflow-wrap:anywhere}
svg{font-size:11px;max-width:100%}svg text{fill:var(--text)}svg line.axis{stroke:var(--rule)}
svg line.limit{stroke:var(--bad);stroke-dasharray:3}svg polyline{fill:none;stroke-width:2}
svg polyline.baseline{stroke:var(--baseline)}svg polyline.window{stroke:var(--window)}
svg rect.baseline,svg circle.baseline{fill:var(--baseline)}svg rect.window,svg circle.window{fill:var(--window)}
svg rect.bad,svg circle.bad{fill:var(--bad)}svg rect.empty{fill:var(--rule)}
svg circle.hollow{fill:var(--page);stroke:var(--baseline);stroke-width:2}
.key i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
.key .baseline{background:var(--baseline)}.key .window{background:var(--window)}
""".replace("\n", "")
_ADVICE = {
    Verdict.OK: "Nothing needs to be done.",
    Verdict.VIOLATION: "Somebody should look at it: is the change real, and does the model need newer data?",
    Verdict.INSUFFICIENT_DATA: "Nothing is said about a window with so little data, so nothing is raised either.",
}


def render_page(analysed: AnalysedWindow, model: MonitoredModel) -> str:
    """The page as HTML text."""
    analysis = analysed.analysis
    sections = [
        _verdict(analysis),
        quality_section(analysis.quality, analysed.errors),
        drift_section(analysed, model),
        checks_section(analysis.checks),
        attribution_section(analysis.attribution),
        bias_section(analysis.bias),
        health_section(analysis.health),
    ]
    body = "\n".join(part for part in sections if part)
    title = f"{analysis.subject.monitor}: {analysis.verdict.replace('_', ' ')}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _verdict(analysis: Analysis) -> Html:
    found = find_violations(analysis)
    heading = joined(Html("<h1>"), f"{analysis.subject.monitor}: ", badge(analysis.verdict), Html("</h1>"))
    sentences = bullets(violation.description for violation in found)
    advice = paragraph(_ADVICE[analysis.verdict])
    return joined(Html("<header>"), heading, advice, sentences, _subject(analysis), Html("</header>"))


def _subject(analysis: Analysis) -> Html:
    subject, window = analysis.subject, analysis.window
    rows = [
        ("window", f"{time_text(window.start)} to {time_text(window.end)}" if window else "all of the data"),
        ("rows", f"{analysis.rows:,}"),
        ("endpoint", subject.endpoint),
        ("variant", subject.variant),
        ("model package", subject.model_package_arn),
    ]
    return Html(f'<div class="left">{table(("", ""), [row for row in rows if row[1] is not None])}</div>')
