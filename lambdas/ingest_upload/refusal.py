"""Why a file is refused, and the report that its supplier gets: what is wrong, where, and what to do next.

Must not call AWS. The values of sensitive columns never reach a finding, so none reaches a report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from data_contracts.checks import Finding, Total
from data_contracts.contract import DataContract
from data_contracts.file_check import FileReport
from lambdas.ingest_upload.upload import LARGEST_COPY, RAW_PREFIX, Upload

# An event has at most 256 KB, a report is to be read: the rest of the reasons is counted.
_MOST_REASONS = 20
_PLACES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused upload. `report` is None when the file was refused without being read."""

    upload: Upload
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    report: FileReport | None = None


def refuse_unread(upload: Upload, *, datasets: Sequence[str]) -> Refusal | None:
    """Refuse a file for what is known of it before reading it; None when it is worth reading."""
    where = f"Upload it under {RAW_PREFIX}<data set>/; data sets are: {', '.join(datasets) or 'none yet'}"
    if "/" not in upload.key.removeprefix(RAW_PREFIX):
        reason, advice = f"the file lies directly under {RAW_PREFIX}, so it belongs to no data set", where
    elif upload.dataset not in datasets:
        reason, advice = f"there is no data set {upload.dataset!r}", where
    elif not upload.key.lower().endswith(".csv"):
        reason = "the name does not end in .csv"
        advice = "Export the table as CSV (UTF-8, one line per row, not compressed) and upload that."
    elif upload.size > LARGEST_COPY:
        reason = f"the file has {upload.size:,} bytes; at most {LARGEST_COPY:,} are accepted in one file"
        advice = "Split it into several files, each with the header, and upload those. This one stays in place."
    else:
        return None
    return Refusal(upload, (reason,), (advice,))


def refuse_content(upload: Upload, report: FileReport, contract: DataContract) -> Refusal:
    """Refuse a file for what was found in it."""
    reasons = [_reason(total, report.findings) for total in report.errors]
    if len(reasons) > _MOST_REASONS:
        hidden = len(reasons) - _MOST_REASONS
        reasons = [*reasons[:_MOST_REASONS], f"and {hidden} further kind(s) of problem, see the report"]
    advice = (
        f"The header must be exactly: {contract.delimiter.join(contract.column_names)}",
        "Correct the rows named above in your source and export the file again.",
        "Upload it under the same name; nothing has to be deleted first.",
    )
    return Refusal(upload, tuple(reasons), advice, report)


def report_document(refusal: Refusal, *, original: str) -> Mapping[str, object]:
    """The report for programs; `original` is the URI of the untouched file."""
    upload, report = refusal.upload, refusal.report
    document: dict[str, object] = {
        "dataset": upload.dataset,
        "bucket": upload.bucket,
        "key": upload.key,
        "version_id": upload.version_id,
        "original": original,
        "reasons": list(refusal.reasons),
        "advice": list(refusal.advice),
    }
    if report is not None:
        document["file"] = asdict(report)
    return document


def report_text(refusal: Refusal, *, original: str) -> str:
    """The report for people."""
    upload, report = refusal.upload, refusal.report
    lines = [f"File not accepted: s3://{upload.bucket}/{upload.key}", f"Data set: {upload.dataset}"]
    if report is not None:
        lines.append(f"Read: {report.size:,} bytes, {report.rows:,} data row(s); {_extent(report)}")
    lines += ["", "What is wrong"]
    if report is None:
        lines += [f"  - {reason}" for reason in refusal.reasons]
    else:
        for total in report.errors:
            lines += _problem_lines(total, report.findings)
    lines += ["", "What to do", *(f"  - {line}" for line in refusal.advice)]
    lines += ["", "Where your file is", f"  Unchanged, at {original}"]
    lines += [f"  and as version {upload.version_id} of s3://{upload.bucket}/{upload.key}"]
    if report is not None:
        lines += ["", "Row 1 is the first data row; line 1 of the file is its header."]
    return "\n".join(lines) + "\n"


def _extent(report: FileReport) -> str:
    if not report.rows:
        return "there was no row to check"
    if report.checked == "all":
        return "every row was checked"
    if report.checked == "none":
        return "no row was checked, because the header could not be used"
    return f"a sample of {report.rows_checked:,} row(s) was checked, so there may be more problems than listed"


def _subject(total: Total) -> str:
    return f'column "{total.column}": {total.problem}' if total.column else total.problem


def _places(total: Total, findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if (finding.column, finding.problem) == (total.column, total.problem)]


def _reason(total: Total, findings: tuple[Finding, ...]) -> str:
    """One line: the problem, how often, and the first place."""
    found = _places(total, findings)
    first = found[0] if found else None
    if first is None or (first.row is None and not first.value):
        return _subject(total)
    place = f"row {first.row}" if first.row is not None else "the file"
    often = f"{total.count} times, first in {place}" if total.count > 1 else place
    return f"{_subject(total)} ({often}{f': {first.value}' if first.value else ''})"


def _problem_lines(total: Total, findings: tuple[Finding, ...]) -> list[str]:
    found = _places(total, findings)[:_PLACES_SHOWN]
    lines = [f"  - {_subject(total)}" + (f", {total.count} times" if total.count > 1 else "")]
    for finding in found:
        place = f"row {finding.row} (line {finding.line})" if finding.row is not None else "in the file"
        if finding.row is not None or finding.value:
            lines.append(f"      {place}{f': {finding.value}' if finding.value else ''}")
    if found and total.count > len(found):
        lines.append(f"      and {total.count - len(found)} more")
    return lines
