"""Deployments of an endpoint: the first fleet, blue/green updates with rollback, and the end.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
Each runs in a thread of its own. A rollback is silent, as on AWS: the endpoint is InService again with its old
configuration and no FailureReason; only its history (the status page) tells why.
"""

import logging
import math
import time
from collections.abc import Callable

from local_cloud.clock import Clock
from local_cloud.endpoints.deployment_policy import DeploymentPolicy, Step
from local_cloud.endpoints.endpoint import Endpoint, EndpointStatus
from local_cloud.endpoints.failures import REASON_LIMIT, LaunchFailure
from local_cloud.endpoints.fleet import Fleet
from local_cloud.endpoints.variant_server import INVOCATION_SECONDS

AlarmState = Callable[[str, str, str], str | None]
_ALARM_POLL_SECONDS = 0.05
_logger = logging.getLogger(__name__)


def create(endpoint: Endpoint, fleet: Fleet) -> None:
    """Start the first fleet; the endpoint ends InService, or Failed with the reason."""
    try:
        fleet.start()
    except LaunchFailure as failure:
        reason = str(failure)
    except Exception as error:
        # A thread has no caller: whatever breaks in here must end the endpoint's creation.
        _logger.exception("creating %s failed", endpoint.arn)
        reason = f"InternalServerError: {type(error).__name__}: {error}"
    else:
        if endpoint.abandoned.is_set():
            fleet.abandon()
            return
        endpoint.router.route([(fleet, 1.0)])
        endpoint.settle(fleet)
        endpoint.enter(EndpointStatus.IN_SERVICE)
        return
    fleet.stop()
    endpoint.pending = None
    endpoint.enter(EndpointStatus.FAILED, failure_reason=reason[:REASON_LIMIT])


def delete(endpoint: Endpoint) -> None:
    """Answer what is on its way, then stop the servers."""
    endpoint.router.route([])
    if endpoint.fleet is not None:
        endpoint.fleet.drain(INVOCATION_SECONDS)
        endpoint.fleet.stop()


class BlueGreenUpdate:
    """One update: the green fleet replaces the blue one, or is removed again."""

    def __init__(
        self,
        endpoint: Endpoint,
        blue: Fleet,
        green: Fleet,
        *,
        policy: DeploymentPolicy,
        clock: Clock,
        alarm_state: AlarmState,
    ) -> None:
        self._endpoint = endpoint
        self._blue = blue
        self._green = green
        self._policy = policy
        self._clock = clock
        self._alarm_state = alarm_state

    def run(self) -> None:
        """Bring the update to its end, whichever it is."""
        try:
            problem = self._perform()
        except LaunchFailure as failure:
            problem = str(failure)
        except Exception as error:
            # A thread has no caller: whatever breaks in here must leave the endpoint with its old fleet.
            _logger.exception("updating %s failed", self._endpoint.arn)
            problem = f"InternalServerError: {type(error).__name__}: {error}"
        if self._endpoint.abandoned.is_set():
            self._green.abandon()
        elif problem is None:
            self._finish()
        else:
            self._roll_back(problem)

    def _perform(self) -> str | None:
        """Shift all traffic in steps; the reason if the update is to be rolled back."""
        limit = math.inf if self._policy.limit_seconds is None else float(self._policy.limit_seconds)
        # Cloud time: what is only waited for follows the clock's scale, a server takes as long to start as it takes.
        left = limit - self._launch()
        for step in self._policy.steps:
            if left < 0 or self._endpoint.abandoned.is_set():
                break
            self._shift(step.share)
            self._endpoint.reach("ActivatingTraffic", f"Activating traffic on {step.capacity}.", share=step.share)
            alarm = self._bake(step, at_most=left)
            if alarm is not None:
                return f"Alarm {alarm} was in state ALARM with {step.share:.0%} of the traffic on the new fleet."
            left -= step.bake_seconds
        if left < 0:
            return f"It was not complete after MaximumExecutionTimeoutInSeconds ({limit:.0f} seconds)."
        return None

    def _launch(self) -> float:
        """Start the new fleet; the seconds that it took."""
        started = time.monotonic()
        self._green.start()
        return time.monotonic() - started

    def _shift(self, share: float) -> None:
        old = [(self._blue, 1.0 - share)] if share < 1.0 else []
        self._endpoint.router.route([*old, (self._green, share)])

    def _bake(self, step: Step, *, at_most: float) -> str | None:
        """Wait as the policy says, or `at_most` seconds of cloud time; the name of an alarm that trips meanwhile."""
        if not step.bake_seconds:
            return None
        message = f"Baking for {step.bake_seconds} seconds ({step.wait}) with traffic enabled on {step.capacity}."
        self._endpoint.reach("Baking", message, share=step.share)
        deadline = time.monotonic() + min(step.bake_seconds, at_most) * self._clock.scale
        while not self._endpoint.abandoned.is_set():
            if (alarm := self._tripped()) is not None:
                return alarm
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._endpoint.abandoned.wait(min(_ALARM_POLL_SECONDS, remaining))  # an alarm calls nobody here
        return None

    def _tripped(self) -> str | None:
        endpoint = self._endpoint
        states = ((name, self._alarm_state(endpoint.account, endpoint.region, name)) for name in self._policy.alarms)
        return next((name for name, state in states if state == "ALARM"), None)

    def _finish(self) -> None:
        """Only now does the endpoint name the new configuration, and only now are the old servers stopped."""
        instances = sum(spec.instance_count for spec in self._blue.specs)
        self._endpoint.reach("Deleting", f"Terminating {instances} instance(s).", share=1.0)
        self._remove(self._blue)
        self._endpoint.settle(self._green)
        self._endpoint.enter(EndpointStatus.IN_SERVICE)

    def _roll_back(self, problem: str) -> None:
        """All traffic goes back to the old fleet before anything else happens."""
        endpoint = self._endpoint
        endpoint.router.route([(self._blue, 1.0)])
        endpoint.reach("Deleting", "Rolling back: terminating the new instances.", share=0.0)
        endpoint.enter(EndpointStatus.ROLLING_BACK, note=problem)
        _logger.warning("%s is rolled back to %s: %s", endpoint.name, endpoint.config_name, problem)
        self._remove(self._green)
        endpoint.pending = None
        endpoint.enter(EndpointStatus.IN_SERVICE, note=f"Rolled back: {problem}")

    def _remove(self, fleet: Fleet) -> None:
        fleet.drain(INVOCATION_SECONDS)
        fleet.stop()
