"""Sizes of ml.* instance types, so that a job meets here the memory limit that it will meet on AWS.

https://aws.amazon.com/sagemaker/ai/pricing/ gives vCPU and memory of each type; they follow family and size.
"""

import os
import re
from dataclasses import dataclass

GIB = 2**30

# GiB of memory for each vCPU, by family letter; accelerator families (g, p, ...) take the general ratio.
_GIB_PER_VCPU = {"c": 2.0, "m": 4.0, "r": 8.0, "t": 4.0}
_GENERAL_RATIO = 4.0
_VCPUS = {"medium": 2, "large": 2, "xlarge": 4}
_SMALL_T3_GIB = {"medium": 4.0, "large": 8.0, "xlarge": 16.0}


@dataclass(frozen=True)
class InstanceSize:
    """vCPUs, and memory in bytes."""

    vcpus: int
    memory_bytes: int


def instance_size(instance_type: str) -> InstanceSize:
    """What an instance type offers, but never more memory than this machine has."""
    family, size = instance_type.removeprefix("ml.").split(".")
    multiple = re.fullmatch(r"(\d+)xlarge", size)
    vcpus = 4 * int(multiple.group(1)) if multiple else _VCPUS.get(size, 4)
    gib = vcpus * _GIB_PER_VCPU.get(family[0], _GENERAL_RATIO)
    if family[0] == "t":
        gib = _SMALL_T3_GIB.get(size, gib)
    return InstanceSize(vcpus, min(int(gib * GIB), _machine_memory()))


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
