"""The choice of numpy's sort by processor."""

from pathlib import Path

import pytest

from drift_monitor.processor import prefer_fast_sort

_ZEN_4 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 avx512f\n\nprocessor\t: 1\n"


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (_ZEN_4, True),
        (_ZEN_4.replace("AuthenticAMD", "GenuineIntel"), False),
        (_ZEN_4.replace("25", "26"), False),
        (_ZEN_4.replace(" avx512f", ""), False),
        (None, False),
    ],
    ids=["Zen 4", "Intel", "Zen 5", "Zen 3", "no Linux"],
)
def test_avx_512_is_switched_off_where_it_sorts_slowly(tmp_path: Path, text: str | None, chosen: bool) -> None:
    """Only on Zen 4, and never against the user's own setting."""
    processor = tmp_path / "cpuinfo"
    if text is not None:
        processor.write_text(text)
    environment: dict[str, str] = {}
    prefer_fast_sort(environment, processor=processor)
    assert ("NPY_DISABLE_CPU_FEATURES" in environment) == chosen
    own = {"NPY_DISABLE_CPU_FEATURES": "AVX2"}
    prefer_fast_sort(own, processor=processor)
    assert own == {"NPY_DISABLE_CPU_FEATURES": "AVX2"}
