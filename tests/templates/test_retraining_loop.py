"""The state machine of the retraining loop: every path ends, and none leaves the lock taken."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.api import lint_all

from tests.templates.conftest import Resource, Templates
from tests.templates.policies import identity_statements

Machine = dict[str, Any]
_TERMINAL = ("Succeed", "Fail")


@pytest.fixture
def resource(templates: Templates) -> Resource:
    """The state machine's resource."""
    (found,) = templates.resources("AWS::StepFunctions::StateMachine")
    return found


@pytest.fixture
def machine(templates: Templates, resource: Resource) -> Machine:
    """Its definition, in which a function's ARN is `function:<folder of its code>`."""
    functions = {
        function.logical_id: function.properties["Handler"].split(".")[1]
        for function in templates.resources("AWS::Lambda::Function")
    }
    separator, parts = resource.properties["DefinitionString"]["Fn::Join"]
    texts = [
        part if isinstance(part, str) else f"arn:aws:lambda:x:1:function:{functions[part['Fn::GetAtt'][0]]}"
        for part in parts
    ]
    return dict(json.loads(separator.join(texts)))


def _targets(state: dict[str, Any]) -> Iterator[str]:
    """Every state that may follow."""
    for name in ("Next", "Default"):
        if name in state:
            yield state[name]
    for follower in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield follower["Next"]


def _reached(machine: Machine, start: str, *, without: frozenset[str] = frozenset()) -> set[str]:
    """States on any path from `start`; paths end at those of `without`, which do not count."""
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in reached | without:
            reached.add(name)
            ahead += _targets(machine["States"][name])
    return reached


def _calling(machine: Machine, function: str) -> set[str]:
    return {
        name
        for name, state in machine["States"].items()
        if str(state.get("Parameters", {}).get("FunctionName", "")).endswith(f":{function}")
    }


def _ends(machine: Machine, names: set[str]) -> set[str]:
    return {name for name in names if machine["States"][name]["Type"] in _TERMINAL}


def _path_faults(machine: Machine) -> Iterator[str]:
    """States that lead nowhere, or are not led to."""
    states = machine["States"]
    yield from (f"{name} -> {one}" for name, state in states.items() for one in _targets(state) if one not in states)
    if all(target in states for state in states.values() for target in _targets(state)):
        yield from (f"{name} is never reached" for name in states.keys() - _reached(machine, machine["StartAt"]))
        yield from (f"{name} never ends" for name in states if not _ends(machine, _reached(machine, name)))


def _lock_faults(machine: Machine) -> set[str]:
    """Ends that an execution can come to with the lock that it took: on no way there the lock is freed.

    `NotNeeded` follows a decision that did not take it.
    """
    freeing = frozenset(_calling(machine, "finish_retraining"))
    (taking,) = _calling(machine, "decide_retraining")
    return _ends(machine, _reached(machine, taking, without=freeing | {"NotNeeded"}))


def test_every_path_leads_to_an_end(machine: Machine) -> None:
    """Each follower exists, each state is reached, and an end is reached from each."""
    assert list(_path_faults(machine)) == []


def test_no_path_leaves_the_lock_taken(machine: Machine) -> None:
    """Whatever fails after the decision, the lock is freed before the execution ends."""
    assert _lock_faults(machine) == set()
    needed = machine["States"]["Needed"]
    assert {choice["StringEquals"]: choice["Next"] for choice in needed["Choices"]} == {
        "train": "StartTraining",
        "attend": "Attend",
    }
    assert (needed["Default"], machine["States"]["NotNeeded"]["Type"]) == ("NotNeeded", "Succeed")


def test_a_failed_cleanup_fails_the_execution(machine: Machine) -> None:
    """Only then does the event come that has the lock freed after all; a success would hide it."""
    freeing = _calling(machine, "finish_retraining")
    last = [name for name in freeing if not {catch["Next"] for catch in machine["States"][name]["Catch"]} & freeing]

    assert last
    for name in last:
        (catch,) = machine["States"][name]["Catch"]
        assert machine["States"][catch["Next"]]["Type"] == "Fail"


def test_every_task_catches_all_that_can_be_caught(machine: Machine) -> None:
    """States.ALL passes States.Runtime and States.DataLimitExceeded by: these fail the execution, which is an event."""
    tasks = {name: state for name, state in machine["States"].items() if state["Type"] == "Task"}

    assert len(tasks) == 5
    for name, state in tasks.items():
        assert [catch["ErrorEquals"] for catch in state["Catch"]] == [["States.ALL"]], name
        assert state["Retry"], name
    assert machine["TimeoutSeconds"] == 6 * 3600


def _next_that_does_not_exist(machine: Machine) -> None:
    machine["States"]["Wait"]["Next"] = "LookAtTrainings"


def _end_without_cleanup(machine: Machine) -> None:
    machine["States"]["LookAtTraining"]["Catch"][0]["Next"] = "Failed"


def _wait_for_ever(machine: Machine) -> None:
    machine["States"]["Trained"]["Default"] = "Wait"
    machine["States"]["LookAtTraining"]["Catch"] = []


@pytest.mark.parametrize("break_it", [_next_that_does_not_exist, _end_without_cleanup, _wait_for_ever])
def test_the_checks_find_a_broken_machine(machine: Machine, break_it: Any) -> None:
    """A follower that is not there, an end that leaves the lock taken and a circle without a way out are all seen."""
    mutant = copy.deepcopy(machine)
    break_it(mutant)

    assert [*_path_faults(mutant)] or _lock_faults(mutant)


def test_the_linter_accepts_the_definition(machine: Machine) -> None:
    """The definition is the Amazon States Language, as cfn-lint knows it; in the template its references hide it."""

    def findings(definition: Machine) -> list[str]:
        properties = {"RoleArn": "arn:aws:iam::123456789012:role/r", "Definition": definition}
        template = {"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
        return [str(match) for match in lint_all(json.dumps(template)) if match.rule.id.startswith("E")]

    wrong = copy.deepcopy(machine)
    wrong["States"]["Wait"]["Type"] = "Sleep"

    assert findings(machine) == []
    assert findings(wrong)


def test_the_loop_may_call_its_functions_and_look_at_its_trainings(templates: Templates, resource: Resource) -> None:
    """It starts nothing but its three functions, reads executions of one pipeline, and approves nothing."""
    role = resource.properties["RoleArn"]["Fn::GetAtt"][0]
    rights = {
        action: statement["Resource"]
        for policy, statement in identity_statements(templates)
        if policy.properties.get("Roles") == [{"Ref": role}]
        for action in statement["Action"]
    }

    assert set(rights) == {"lambda:InvokeFunction", "sagemaker:DescribePipelineExecution"}
    called = sorted(arn["Fn::GetAtt"][0] for arn in rights["lambda:InvokeFunction"])
    for name, verb in zip(called, ("DecideRetraining", "FinishRetraining", "StartTraining"), strict=True):
        assert name.startswith(f"carprices{verb}")
    (executions,) = rights["sagemaker:DescribePipelineExecution"]
    assert executions["Fn::Join"][1][-1] == ":pipeline/car-prices-dev/execution/*"


def test_only_the_loop_starts_a_training(templates: Templates) -> None:
    """One function may start the training pipeline, and only the state machine may call it."""
    (machine,) = templates.resources("AWS::StepFunctions::StateMachine")
    starting = [
        policy.logical_id
        for policy, statement in identity_statements(templates)
        if "sagemaker:StartPipelineExecution" in statement["Action"] and "StartMonitoring" not in policy.logical_id
    ]

    assert [name[: len("carpricesStartTraining")] for name in starting] == ["carpricesStartTraining"]
    assert not [
        permission.logical_id
        for permission in templates.resources("AWS::Lambda::Permission")
        if "StartTraining" in json.dumps(permission.properties["FunctionName"])
    ]
    assert "StartTraining" in json.dumps(machine.properties["DefinitionString"])
