"""A setting of numpy that depends on the processor. Must be made before numpy is imported, so it must not import it.

numpy sorts with AVX-512 where the processor has it. AMD's Zen 4 (family 25) has it, but executes the instruction that
the sort leans on, storing a compressed vector, in microcode: measured there, a number takes 43 ns to sort with AVX-512
and 11 ns with AVX2. A baseline is made by sorting, and so is what a window has of columns with many ties.
"""

from collections.abc import MutableMapping
from pathlib import Path

_VARIABLE = "NPY_DISABLE_CPU_FEATURES"


def prefer_fast_sort(environment: MutableMapping[str, str], *, processor: Path = Path("/proc/cpuinfo")) -> None:
    """Let numpy sort with AVX2 on a processor whose AVX-512 is slower; a setting that is already there stays."""
    try:
        lines = processor.read_text().splitlines()
    except OSError:
        return  # no Linux: numpy's own choice is as good as any
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    slow = (fields.get("vendor_id"), fields.get("cpu family")) == ("AuthenticAMD", "25")
    if slow and "avx512f" in fields.get("flags", "").split():
        environment.setdefault(_VARIABLE, "X86_V4 AVX512_ICL")
