"""A CloudFormation engine over resources that exist only in a ledger, for tests of its own behaviour."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.base import Physical, Properties, Provider, ResourceContext
from local_cloud.cloudformation.providers.registry import ProviderRegistry
from local_cloud.cloudformation.service import CloudFormation
from tests.local_cloud.operations import Operations
from tests.waiting import LIMIT_SECONDS, wait_for

QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"


class Ledger(Provider):
    """A provider of queues and topics. `log` is what happened, `alive` what exists, `failing` what must fail."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str]] = []
        self.alive: dict[str, Mapping[str, Any]] = {}
        self.failing: set[tuple[str, str]] = set()
        self.leaves_remains: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self._count = 0
        self._lock = threading.Lock()

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ids are the logical id and a running number."""
        with self._lock:
            self._count += 1
            physical = Physical(
                f"{context.logical_id}-{self._count}", {"Arn": f"arn:{context.logical_id}-{self._count}"}
            )
        self._note("create", context.logical_id, physical.id)
        if context.logical_id in self.leaves_remains:
            self.alive[physical.id] = dict(properties)
            context.report(physical)
        self._fail("create", context.logical_id)
        self.alive[physical.id] = dict(properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Keeps the id."""
        self._note("update", context.logical_id, physical.id)
        self._fail("update", context.logical_id)
        self.alive[physical.id] = dict(new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Takes the id out of `alive`."""
        self._note("delete", context.logical_id, physical.id)
        self._fail("delete", context.logical_id)
        del self.alive[physical.id]

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """By QueueName."""
        for physical_id, known in self.alive.items():
            if "QueueName" in properties and known.get("QueueName") == properties["QueueName"]:
                return Physical(physical_id, {"Arn": f"arn:{physical_id}"})
        return None

    def calls(self, verb: str) -> list[str]:
        """The physical ids of one kind of call, in order."""
        return [physical_id for what, physical_id in self.log if what == verb]

    def _note(self, verb: str, logical_id: str, physical_id: str) -> None:
        self.gate.wait(LIMIT_SECONDS)
        with self._lock:
            self.log.append((verb, physical_id))

    def _fail(self, verb: str, logical_id: str) -> None:
        if (verb, logical_id) in self.failing:
            raise HandlerFailure(f"cannot {verb} {logical_id}")


class FakeCloud(Operations):
    """The engine's operations as plain calls, waiting until a stack is settled."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        clock = Clock()
        self.engine = CloudFormation(
            clients=Clients("http://127.0.0.1:9", clock),
            clock=clock,
            providers=ProviderRegistry({QUEUE: self.ledger, TOPIC: self.ledger}),
        )
        super().__init__(self.engine.service())

    def create(self, resources: Mapping[str, Any], *, name: str = "s", **params: Any) -> str:
        """Create a stack and wait; its final status."""
        self.call("CreateStack", StackName=name, TemplateBody=template(resources, params), **params)
        return self.settled(name)

    def update(self, resources: Mapping[str, Any], *, name: str = "s", **params: Any) -> str:
        """Update a stack and wait; its final status."""
        self.call("UpdateStack", StackName=name, TemplateBody=template(resources, params), **params)
        return self.settled(name)

    def delete(self, *, name: str = "s", **params: Any) -> str:
        """Delete a stack and wait; its final status."""
        stack_id = self.stack(name)["StackId"]
        self.call("DeleteStack", StackName=name, **params)
        return self.settled(stack_id)

    def settled(self, name: str) -> str:
        """The status once nothing runs."""

        def finished() -> str | None:
            status = str(self.stack(name)["StackStatus"])
            return None if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS" else status

        return wait_for(finished, what=f"stack {name} to settle") or ""

    def stack(self, name: str = "s") -> dict[str, Any]:
        """DescribeStacks of one stack."""
        described: dict[str, Any] = self.call("DescribeStacks", StackName=name)["Stacks"][0]
        return described

    def outputs(self, name: str = "s") -> dict[str, str]:
        """The outputs of a stack by key."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack(name)["Outputs"]}

    def resources(self, name: str = "s") -> dict[str, str]:
        """Physical ids by logical id."""
        listed = self.call("ListStackResources", StackName=name)["StackResourceSummaries"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}

    def events(self, name: str = "s") -> list[tuple[str, str]]:
        """(logical id, status), oldest first."""
        listed = self.call("DescribeStackEvents", StackName=name)["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(listed)]


def queue(*, name: str | None = None, timeout: Any = 30, **attributes: Any) -> dict[str, Any]:
    """A queue: another name makes a new one, another timeout changes it in place."""
    properties = {"VisibilityTimeout": timeout} | ({"QueueName": name} if name is not None else {})
    return {"Type": QUEUE, "Properties": properties, **attributes}


def template(resources: Mapping[str, Any], params: dict[str, Any] | None = None) -> str:
    """A template body; `Outputs`, `Conditions` and so on are taken out of `params`."""
    sections = {
        key: (params or {}).pop(key)
        for key in ("Outputs", "Conditions", "Rules", "Mappings", "Description")
        if key in (params or {})
    }
    sections |= {"Parameters": (params or {}).pop("Declared")} if "Declared" in (params or {}) else {}
    return json.dumps({"Resources": resources, **sections})
