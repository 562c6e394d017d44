"""What all settings have in common, and the types that several of them use.

Must not hold a setting: it would have no place in a stage file.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=1, le=36_500)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.(?:medium|[0-9]*x?large)$")]


class Base(BaseModel):
    """Base of all settings: immutable, no unknown keys, no silent conversion of text into numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
