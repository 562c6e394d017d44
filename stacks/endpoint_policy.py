"""The settings of an endpoint in the components' terms.

Must not decide anything that the settings do not say.
"""

from components.blue_green import TrafficShift
from components.rollback_alarms import AlarmRule, server_errors, slow_answers
from config.endpoint_settings import AlarmSettings, DeploymentSettings, QualitySignal


def traffic_shift(settings: DeploymentSettings) -> TrafficShift:
    """How traffic moves."""
    return TrafficShift(
        strategy=settings.strategy,
        step_percent=settings.percent,
        step_instances=settings.step_instances,
        wait_interval_seconds=settings.wait_interval_seconds,
        termination_wait_seconds=settings.termination_wait_seconds,
        maximum_execution_timeout_seconds=settings.maximum_execution_timeout_seconds,
    )


def rollback_rules(settings: AlarmSettings) -> list[AlarmRule]:
    """What sends a deployment back: errors, latency, and the model's quality where it is measured."""
    rules = [server_errors(settings.server_error_percent), slow_answers(settings.latency_p99_ms)]
    return [*rules, _quality(settings.quality)] if settings.quality else rules


def _quality(signal: QualitySignal) -> AlarmRule:
    return AlarmRule(
        name="ModelQuality",
        meaning=f"{signal.metric_name} is {signal.breaches} {signal.threshold:g}",
        namespace=signal.namespace,
        metric_name=signal.metric_name,
        statistic=signal.statistic,
        breaches=signal.breaches,
        threshold=signal.threshold,
    )
