"""Request bodies as clients write them."""

import csv
import io


def as_csv(rows: list[list[str]]) -> str:
    """Records without a header."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
