"""What an action provider is: one action type of CodePipeline, done through the APIs of the services it stands for.

A provider keeps no state about executions; when it runs, and what follows, is the engine's decision.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_cloud.clock import Clock
from local_cloud.codepipeline.artifacts import ArtifactStore, StoredArtifact
from local_cloud.codepipeline.declaration import ActionDeclaration
from local_cloud.codepipeline.roles import ActionRole
from local_cloud.service import RequestContext


class ActionFailure(Exception):
    """An action that failed: the code and message of its errorDetails.

    `external_id` names what the action worked on, for instance a stack or a job; `updated_by` is the ARN of the
    person who decided, where a person did.
    """

    def __init__(
        self, message: str, *, code: str = "JobFailed", external_id: str | None = None, updated_by: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.external_id = external_id
        self.updated_by = updated_by


class Abandoned(Exception):
    """The execution was stopped without waiting for the action."""


class Control:
    """What reaches a running action from outside: an answer, or the order to give up. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answer: Any = None
        self._abandoned = False

    def answer(self, value: object) -> bool:
        """Hand over an answer; False if there is one already or nobody waits for it any more."""
        with self._changed:
            if self._answer is not None or self._abandoned:
                return False
            self._answer = value
            self._changed.notify_all()
            return True

    def abandon(self) -> None:
        """Make every present and future wait raise Abandoned."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> Any:
        """The answer, or None after `seconds` real seconds. Raises Abandoned."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned or self._answer is not None, deadline - time.monotonic())
            if self._abandoned:
                raise Abandoned
            answer, self._answer = self._answer, None
            return answer

    def pause(self, seconds: float) -> None:
        """Let real time pass before asking a service again. Raises Abandoned."""
        with self._changed:
            if self._changed.wait_for(lambda: self._abandoned, seconds):
                raise Abandoned


@dataclass(frozen=True)
class ActionShape:
    """What an action type takes: numbers of artifacts (from, to) and keys of its configuration."""

    inputs: tuple[int, int] = (0, 0)
    outputs: tuple[int, int] = (0, 0)
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ActionWork:
    """One action execution, as its provider sees it.

    `configuration` has no references left. `inputs` and `outputs` say where artifacts are, or are to be put.
    `source_revision` is what StartPipelineExecution asked for this source action: (revision type, value).
    """

    context: RequestContext
    pipeline_name: str
    pipeline_arn: str
    stage_name: str
    action: ActionDeclaration
    execution_id: str
    action_execution_id: str
    configuration: Mapping[str, str]
    inputs: Mapping[str, StoredArtifact]
    outputs: Mapping[str, StoredArtifact]
    store: ArtifactStore
    role: ActionRole
    control: Control
    clock: Clock
    token: str
    source_revisions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ActionOutcome:
    """How an action succeeded. `revision` is what a source action found (id, summary).

    `updated_by` is the ARN of the person who decided, where a person does.
    """

    summary: str | None = None
    external_id: str | None = None
    external_url: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    revision: tuple[str, str] | None = None
    updated_by: str | None = None


class ActionProvider(Protocol):
    """One action type."""

    @property
    def shape(self) -> ActionShape: ...

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """What is wrong with a declaration, beyond its shape."""

    def run(self, work: ActionWork) -> ActionOutcome:
        """Do it, and wait for the end; raises ActionFailure, Abandoned, or botocore's ClientError as it came."""
