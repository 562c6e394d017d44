"""Results that functions report for their jobs."""

import pytest

from local_cloud.codepipeline.actions.base import Abandoned, Control
from local_cloud.codepipeline.jobs import Job, JobDesk, JobResult
from local_cloud.service import RequestContext, ServiceError

_HERE = RequestContext("123456789012", "us-east-1")


def _call(desk: JobDesk, operation: str, context: RequestContext = _HERE, **params: object) -> dict[str, object]:
    handler = desk.operations()[operation].handler
    assert handler is not None
    return handler(context, params)


def _open(desk: JobDesk) -> Job:
    job = Job("123456789012", {"actionConfiguration": {}}, Control())
    desk.open(job)
    return job


def test_a_result_reaches_the_action_that_waits() -> None:
    """With its variables and what the function says of itself."""
    desk = JobDesk()
    job = _open(desk)
    details = {"summary": "fine", "externalExecutionId": "run-1"}
    _call(desk, "PutJobSuccessResult", jobId=job.id, outputVariables={"a": "b"}, executionDetails=details)

    assert job.control.wait(0) == JobResult(summary="fine", external_id="run-1", variables={"a": "b"})


@pytest.mark.parametrize("operation", ["PutJobSuccessResult", "PutJobFailureResult"])
def test_a_job_takes_one_result(operation: str) -> None:
    """A second one, or one after the action gave up, is refused; so are strangers' jobs."""
    desk = JobDesk()
    job, late = _open(desk), _open(desk)
    failure = {"failureDetails": {"type": "JobFailed", "message": "no"}}
    _call(desk, operation, jobId=job.id, **failure)
    desk.close(late)

    for refused in (job, late):
        with pytest.raises(ServiceError, match="not in progress") as raised:
            _call(desk, operation, jobId=refused.id, **failure)
        assert raised.value.code == "InvalidJobStateException"
    other = RequestContext("999999999999", "us-east-1")
    for context, job_id in ((other, job.id), (_HERE, "unknown")):
        with pytest.raises(ServiceError, match="does not exist"):
            _call(desk, operation, context, jobId=job_id, **failure)


def test_output_variables_have_a_limit() -> None:
    """AWS keeps 122,880 bytes of them."""
    desk = JobDesk()
    job = _open(desk)
    with pytest.raises(ServiceError) as raised:
        _call(desk, "PutJobSuccessResult", jobId=job.id, outputVariables={"a": "x" * 122_880})
    assert raised.value.code == "OutputVariablesSizeExceededException"


def test_an_action_that_is_abandoned_waits_no_more() -> None:
    """Neither for an answer nor between two looks at a service; an answer then has no taker."""
    control = Control()
    control.abandon()

    with pytest.raises(Abandoned):
        control.wait(10)
    with pytest.raises(Abandoned):
        control.pause(10)
    assert not control.answer("late")


def test_a_wait_without_an_answer_ends() -> None:
    """The action decides what that means."""
    assert Control().wait(0) is None
