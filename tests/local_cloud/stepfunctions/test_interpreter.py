"""moto's interpreter with its repairs: one test for each (see local_cloud/moto/states)."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.stepfunctions.interpretation import Ending, ExecutionStatus, Interpretation, TaskCall, TaskFailure
from tests.local_cloud.stepfunctions.programs import CAUGHT, INVOKE, JOB, ROLE, TOKEN, Puppet, caught, made, ran, task
from tests.waiting import LIMIT_SECONDS, wait_for

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
PARAMETERS = {"Token.$": "$$.Task.Token"}


def _failing(error: str, *, times: int = 1_000) -> Puppet:
    """Tasks that fail with an error the first `times` times."""
    attempts: list[TaskCall] = []

    def answer(call: TaskCall) -> Any:
        attempts.append(call)
        if len(attempts) <= times:
            raise TaskFailure(error, "the cause")
        return "at last"

    return Puppet(answer)


class Running:
    """An execution in a thread of its own."""

    def __init__(self, interpretation: Interpretation) -> None:
        self.interpretation = interpretation
        self.ending: Ending | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.ending = self.interpretation.run()

    def ended(self) -> Ending:
        """How it ended."""
        self._thread.join(LIMIT_SECONDS)
        assert self.ending is not None, "the execution goes on"
        return self.ending


def test_a_task_is_called_as_the_state_machine_s_role_with_its_parameters() -> None:
    """The runner gets the resource, the parameters after JSONPath, the role and the execution; it gives the result."""
    tasks = Puppet(lambda call: {"Seen": call.parameters["Rows"]})
    state = task(Parameters={"Rows.$": "$.rows", "From.$": "$$.Execution.Name"}, ResultPath="$.result")

    ending = ran({"A": state}, tasks=tasks, given={"rows": 3})

    (call,) = tasks.calls
    assert (call.resource, call.role_arn, call.region) == (INVOKE, ROLE, "us-east-1")
    assert call.parameters == {"Rows": 3, "From": "e"}
    assert call.execution_arn.endswith(":execution:m:e")
    assert ending == Ending(ExecutionStatus.SUCCEEDED, output='{"rows":3,"result":{"Seen":3}}')


def test_a_function_is_a_task_whose_payload_is_the_input() -> None:
    """A function's bare ARN as Resource: input in, result out, and errors by their name."""
    tasks = Puppet(lambda call: {"double": call.parameters["n"] * 2})
    assert ran({"A": task(FUNCTION)}, tasks=tasks, given={"n": 4}).output == '{"double":8}'
    assert tasks.calls[0].resource == FUNCTION

    ending = ran({"A": task(FUNCTION, **caught("TooOld")), "Caught": CAUGHT}, tasks=_failing("TooOld"))
    assert ending.output == '"caught"'


@pytest.mark.parametrize(
    ("raised", "named", "is_caught"),
    [
        ("DynamoDB.ConditionalCheckFailedException", "DynamoDB.ConditionalCheckFailedException", True),
        ("DynamoDB.ConditionalCheckFailedException", "States.TaskFailed", True),
        ("DynamoDB.ConditionalCheckFailedException", "States.ALL", True),
        ("DynamoDB.ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException", False),
        ("States.TaskFailed", "States.TaskFailed", True),
        ("States.Runtime", "States.ALL", False),
        ("States.Runtime", "States.TaskFailed", False),
        ("States.DataLimitExceeded", "States.ALL", False),
    ],
)
def test_a_catch_compares_names_and_never_catches_runtime_errors(raised: str, named: str, is_caught: bool) -> None:
    """As on AWS, States.ALL lets States.Runtime and States.DataLimitExceeded through; the execution fails with them."""
    ending = ran({"A": task(**caught(named)), "Caught": CAUGHT}, tasks=_failing(raised))

    if is_caught:
        assert ending.output == '"caught"'
    else:
        assert (ending.status, ending.error) == (ExecutionStatus.FAILED, raised)
        assert "the cause" in str(ending.cause)


def test_a_path_that_the_input_lacks_fails_the_execution_past_every_catch() -> None:
    """A wrong JSONPath is States.Runtime, so a Catch of States.ALL does not release anything; offline as on AWS."""
    state = task(Parameters={"Version.$": "$.no.such"}, **caught("States.ALL"))

    ending = ran({"A": state, "Caught": CAUGHT})

    assert (ending.status, ending.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert "'A'" in str(ending.cause)


def test_waits_and_retries_pass_on_the_scaled_clock() -> None:
    """A minute's Wait and 30 s before a second attempt take less than a second on a clock of 0.01."""
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 30, "MaxAttempts": 1}]
    states = {"W": {"Type": "Wait", "Seconds": 20, "Next": "A"}, "A": task(Retry=retry)}

    began = time.monotonic()
    ending = ran(states, tasks=_failing("Busy", times=1))

    assert ending.output == '"at last"'
    assert 0.5 <= time.monotonic() - began < 30


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock on the wall is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_a_wait_until_a_moment_is_in_utc() -> None:
    """A moment that lies a minute ahead is 0.6 s away on a clock of 0.01, not nine hours past."""
    moment = (datetime.now(UTC) + timedelta(seconds=61)).strftime("%Y-%m-%dT%H:%M:%SZ")
    interpretation = made({"W": {"Type": "Wait", "Timestamp": moment, "End": True}}, tasks=Puppet())

    interpretation.run()

    _, entered, left, _ = interpretation.history()
    assert 0.2 <= (left["timestamp"] - entered["timestamp"]).total_seconds() < 30


def test_a_task_out_of_time_is_a_timeout_that_its_state_can_catch() -> None:
    """TimeoutSeconds passes on the scaled clock; the job that the task waited for is stopped."""
    tasks = Puppet(lambda call: {"TrainingJobArn": "arn"})

    ending = ran({"A": task(JOB, TimeoutSeconds=20, **caught("States.Timeout")), "Caught": CAUGHT}, tasks=tasks)

    assert ending.output == '"caught"'
    assert tasks.cancelled.wait(LIMIT_SECONDS)


def test_real_work_is_given_real_time() -> None:
    """A function needs its half second whatever the clock's scale; it has that, but no more than TimeoutSeconds."""

    def work(call: TaskCall) -> str:
        threading.Event().wait(0.5)
        return "done"

    slow = Puppet(work)
    states = {"A": task(TimeoutSeconds=10, **caught("States.Timeout")), "Caught": CAUGHT}

    assert ran(states, tasks=slow, shortest_work=5).output == '"done"'
    assert ran(states, tasks=slow).output == '"caught"'


def test_a_sync_task_gives_the_job_s_description() -> None:
    """The state waits until the job has ended; its result is the description, not the answer that began the job."""
    tasks = Puppet(lambda call: {"TrainingJobArn": "arn"})
    running = Running(made({"A": task(JOB)}, tasks=tasks))
    wait_for(lambda: tasks.calls, what="the job to begin")
    assert running.ending is None

    tasks.job = {"TrainingJobStatus": "Completed"}

    assert running.ended().output == '{"TrainingJobStatus":"Completed"}'
    assert "TaskSubmitted" in [event["type"] for event in running.interpretation.history()]


def test_an_execution_out_of_time_has_timed_out() -> None:
    """The state machine's own TimeoutSeconds ends the execution, not the state."""
    began = time.monotonic()
    ending = ran({"W": {"Type": "Wait", "Seconds": 100_000, "End": True}}, TimeoutSeconds=20)

    assert ending.status is ExecutionStatus.TIMED_OUT
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "state", [{"Type": "Wait", "Seconds": 100_000, "End": True}, task(TOKEN, Parameters=PARAMETERS), task(JOB)]
)
def test_a_stop_ends_every_kind_of_wait(state: dict[str, Any]) -> None:
    """Waiting for time, for a token or for a job: a stopped execution ends at once."""
    tasks = Puppet()
    running = Running(made({"A": state}, tasks=tasks))
    wait_for(lambda: running.interpretation.history()[1:], what="the first state")
    if state["Type"] == "Task":
        wait_for(lambda: tasks.calls, what="the task")

    running.interpretation.stop()

    assert running.ended().status is ExecutionStatus.ABORTED
    assert tasks.cancelled.is_set() is (state.get("Resource") == JOB)


def test_a_stop_before_the_first_state_is_not_lost() -> None:
    """An execution that is stopped before its thread runs does nothing."""
    tasks = Puppet()
    interpretation = made({"A": task()}, tasks=tasks)

    interpretation.stop()

    assert interpretation.run().status is ExecutionStatus.ABORTED
    assert tasks.calls == []


def _tokens(tasks: Puppet) -> list[str]:
    return [call.parameters["Token"] for call in tasks.calls]


def test_a_task_waits_for_its_token() -> None:
    """The output that comes with the token is the result; a token works once, and unknown ones are not taken."""
    tasks = Puppet()
    running = Running(made({"A": task(TOKEN, Parameters=PARAMETERS)}, tasks=tasks))
    token = wait_for(lambda: _tokens(tasks), what="the task")[0]

    assert not running.interpretation.complete("another", output="{}")
    assert wait_for(lambda: running.interpretation.complete(token, output='{"ok":1}'), what="the token")

    assert running.ended().output == '{"ok":1}'
    assert not running.interpretation.complete(token, output="{}")


def test_each_attempt_waits_for_a_token_of_its_own() -> None:
    """After a failure with the first token the retried task waits again, for another."""
    tasks = Puppet()
    retry = [{"ErrorEquals": ["Refused"], "IntervalSeconds": 1}]
    running = Running(made({"A": task(TOKEN, Parameters=PARAMETERS, Retry=retry)}, tasks=tasks))
    first = wait_for(lambda: _tokens(tasks), what="the task")[0]
    wait_for(lambda: running.interpretation.fail(first, error="Refused", cause="no"), what="the first token")

    second = wait_for(lambda: _tokens(tasks)[1:], what="the second attempt")[0]

    assert second != first
    assert running.ending is None
    running.interpretation.complete(second, output='"yes"')
    assert running.ended().output == '"yes"'


def test_a_task_without_heartbeats_times_out() -> None:
    """HeartbeatSeconds passes on the scaled clock; beats keep the task alive."""
    tasks = Puppet()
    state = task(TOKEN, Parameters=PARAMETERS, HeartbeatSeconds=100, TimeoutSeconds=10_000, **caught("States.Timeout"))
    running = Running(made({"A": state, "Caught": CAUGHT}, tasks=tasks))
    token = wait_for(lambda: _tokens(tasks), what="the task")[0]

    beats = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        beats += running.interpretation.beat(token)
        time.sleep(0.05)  # the pace of the beats
    assert beats > 2
    assert running.ending is None

    assert running.ended().output == '"caught"'


def test_an_intrinsic_function_that_cannot_be_read_is_refused() -> None:
    """moto's grammar has no $[0][1]; to read it as $[0] would give a wrong result without a word."""
    state = {"Type": "Pass", "Parameters": {"Text.$": "States.Format('{}', $[0][1])"}, "End": True}

    with pytest.raises(ValueError, match=r"States\.Format"):
        made({"P": state}, tasks=Puppet())


def test_maps_branches_choices_and_intrinsics_work() -> None:
    """What workflows are made of: a Map over items, Parallel branches, a Choice, States.Format."""
    doubled = {"StartAt": "D", "States": {"D": task(Parameters={"n.$": "$"})}}
    text = {"Text.$": "States.Format('{} of {}', States.ArrayGetItem($[0], 1), $[1])"}
    states = {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": doubled, "End": True}}},
                {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 7, "End": True}}},
            ],
            "Next": "Which",
        },
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$[1]", "NumericGreaterThan": 5, "Next": "Say"}],
            "Default": "No",
        },
        "Say": {"Type": "Pass", "Parameters": text, "End": True},
        "No": {"Type": "Fail", "Error": "No"},
    }

    ending = ran(states, tasks=Puppet(lambda call: call.parameters["n"] * 2), given=[1, 2, 3])

    assert json.loads(str(ending.output)) == {"Text": "4 of 7"}
