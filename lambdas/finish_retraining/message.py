"""What the approvers are told about a training that brought nothing to approve. Must not call AWS."""

from lambdas.shared.mail import Message


def failure_message(project: str, *, reason: str, failure: str, execution: str) -> Message:
    """Why there is nothing to approve; `execution` is the ARN of the pipeline's or the state machine's."""
    lines = [
        f"A training of {project} brought no version to approve; the live version stays.",
        f"Why it was asked for: {reason}",
        f"What happened: {failure}",
        f"Execution: {execution}",
        "What to do: look at the execution's steps, and read the failure reason or the evaluation's report. A pipeline "
        "that the loop did not wait for may still run; if it registers a version, you get a mail about that.",
        'To train again, start the state machine with the input {"reason": "manual"}.',
    ]
    return Message(f"{project}: the training brought no new version", "\n".join(lines))
