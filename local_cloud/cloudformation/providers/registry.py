"""Which resource types are emulated, and by what. It is the source of the coverage list in docs/local-cloud.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.providers.base import Provider
from local_cloud.service import Fidelity

CUSTOM_PREFIX = "Custom::"
CUSTOM_TYPE = "AWS::CloudFormation::CustomResource"


@dataclass(frozen=True)
class SupportedType:
    """One line of the coverage list."""

    type: str
    fidelity: Fidelity
    note: str


class ProviderRegistry:
    """Providers by type name. Custom resources of any name share one provider."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = dict(providers)

    def knows(self, type_name: str) -> bool:
        """Whether a resource of this type can be created here."""
        return self._key(type_name) in self._providers

    def get(self, type_name: str) -> Provider:
        """The provider; raises ValidationError for a type that is not emulated."""
        if not self.knows(type_name):
            raise ValidationError(f"The local cloud does not emulate {type_name} (see docs/local-cloud.md)")
        return self._providers[self._key(type_name)]

    def types(self) -> list[str]:
        """Every supported type, sorted."""
        return sorted(self._providers)

    def coverage(self) -> Sequence[SupportedType]:
        """Every supported type with how faithfully it is emulated."""
        return [
            SupportedType(name, self._providers[name].fidelity, self._providers[name].note) for name in self.types()
        ]

    def _key(self, type_name: str) -> str:
        return CUSTOM_TYPE if type_name.startswith(CUSTOM_PREFIX) else type_name
