"""Values that stacks hand to each other, and the protection of those that are in use."""

import threading

from local_cloud.cloudformation.errors import OperationFailed, TemplateError
from local_cloud.cloudformation.stacks import Stack, StackStore


class StackLinks:
    """The cross-stack functions as one stack sees them; it remembers which exports were read."""

    def __init__(self, store: StackStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._imported: set[str] = set()

    @property
    def imported(self) -> frozenset[str]:
        """The names of the exports that were read so far."""
        with self._lock:
            return frozenset(self._imported)

    def export(self, name: str) -> str:
        """The value exported under a name; raises TemplateError if no stack exports it."""
        for stack in self._store.existing():
            if name in stack.exports:
                with self._lock:
                    self._imported.add(name)
                return stack.exports[name]
        raise TemplateError(f"No export named {name} found. Deploy the stack that exports it first.")

    def output(self, stack_name: str, output_name: str) -> str:
        """An output of a stack; raises TemplateError if the stack or the output does not exist."""
        stack = self._store.find(stack_name)
        for output in stack.outputs if stack else []:
            if output["OutputKey"] == output_name:
                return output["OutputValue"]
        raise TemplateError(f"Stack {stack_name} has no output {output_name}. Deploy that stack first.")


def importers(store: StackStore, name: str) -> list[str]:
    """The names of the stacks that import an export."""
    return sorted(stack.name for stack in store.existing() if name in stack.imports)


def check_exports_may_change(store: StackStore, stack: Stack, new: dict[str, str]) -> None:
    """Raises OperationFailed if an export in use would vanish or change, or if a name is taken."""
    for name, value in stack.exports.items():
        users = [user for user in importers(store, name) if user != stack.name]
        if users and new.get(name) != value:
            verb = "updated" if name in new else "deleted"
            raise OperationFailed(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")
    for other in store.existing():
        taken = sorted(new.keys() & other.exports.keys()) if other is not stack else []
        if taken:
            raise OperationFailed(f"Export with name {taken[0]} is already exported by stack {other.name}")
