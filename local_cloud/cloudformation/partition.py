"""The CloudFormation state of one account in one region, and the look-ups that every request needs."""

from local_cloud.cloudformation.change_sets import ChangeSet
from local_cloud.cloudformation.operations import StackOperations
from local_cloud.cloudformation.operator import Toolbox
from local_cloud.cloudformation.stacks import Stack, StackStore
from local_cloud.service import ServiceError


class Partition:
    """Stacks, their change sets, and the operations that run on them. Changes happen under `stacks.lock`."""

    def __init__(self, tools: Toolbox) -> None:
        self.tools = tools
        self.stacks = StackStore()
        self.operations = StackOperations(self.stacks, tools)
        self.change_sets: list[ChangeSet] = []

    def find_change_set(self, name: str, stack_name: str | None) -> ChangeSet | None:
        """By ARN, or by name within a stack."""
        for candidate in self.change_sets:
            if name == candidate.id or (name == candidate.name and self._is(candidate.stack, stack_name)):
                return candidate
        return None

    def change_set(self, name: str, stack_name: str | None) -> ChangeSet:
        """As `find_change_set`; raises ChangeSetNotFound."""
        found = self.find_change_set(name, stack_name)
        if found is None:
            raise ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)
        return found

    def forget_change_sets(self, stack: Stack, *, but: ChangeSet | None = None) -> None:
        """Drop the change sets of a stack: after any operation they describe a state that is past."""
        self.change_sets = [
            candidate for candidate in self.change_sets if candidate.stack is not stack or candidate is but
        ]

    @staticmethod
    def _is(stack: Stack, name: str | None) -> bool:
        return name == stack.id or (name == stack.name and stack.exists)
