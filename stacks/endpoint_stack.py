"""The endpoint of one project as a template: a release deploys it to staging and to production.

Must not be deployed with the app's other stacks (`stacks.endpoint_templates` keeps it apart), and must hold neither
assets nor IAM: whoever deploys it needs no rights beyond the endpoint's own resources. What differs between staging
and production is a parameter; everything else is decided here, at synth.
"""

from typing import Any

from aws_cdk import BootstraplessSynthesizer, CfnCondition, CfnOutput, Fn, Stack
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from components.blue_green import TrafficShift, deployment, routing, routing_at_once
from components.data_quality_schedule import DataQualitySchedule, MonitoredEndpoint, MonitoringJob
from components.endpoint_dashboard import EndpointDashboard
from components.endpoint_scaling import EndpointScaling, ScalingRange
from components.rollback_alarms import AlarmWindow, RollbackAlarms, WatchedVariant
from components.served_model import CaptureSettings, EndpointConfiguration, ServedModel, ServedVariant
from stacks.endpoint_parameters import NO_BASELINE, NO_MODEL, EndpointParameters, MonitoringParameters
from stacks.endpoint_policy import rollback_rules, traffic_shift
from stacks.projects import PRODUCTION, Project
from stacks.stage import Stage

CHAMPION, SHADOW = "champion", "shadow"
# The alarms' logical ids begin so, and with them, after the stack's, their names.
ALARMS = "Alarms"


class EndpointStack(Stack):
    """Model, EndpointConfig and Endpoint of a version, with its alarms, scaling and dashboard.

    `image_uri` is what monitoring schedules of SageMaker run, where the settings ask for them: they come with the
    endpoint, since their baseline must be that of the version that is released.
    """

    def __init__(self, scope: Construct, *, stage: Stage, project: Project, image_uri: str) -> None:
        name = project.endpoint_stack_name(stage.name, PRODUCTION)
        super().__init__(
            scope,
            name,
            stack_name=name,
            description=f"CD4ML: endpoint of {project.name}, deployed by its releases",
            env=stage.environment,
            synthesizer=BootstraplessSynthesizer(),
        )
        self._settings = stage.settings.endpoint
        self._ids = project.resource_prefix(stage.name)
        schedules = stage.settings.monitoring.by_sagemaker
        self._given = EndpointParameters(self, with_shadow=self._settings.shadow, with_schedules=bool(schedules))
        alarms = self._alarms()
        configuration = self._configuration()
        endpoint = self._endpoint(configuration, alarms)
        self._scaling(endpoint)
        if self._given.monitoring:
            self._schedules(stage, project, endpoint, image_uri=image_uri, given=self._given.monitoring)
        EndpointDashboard(
            self,
            "Overview",
            endpoint_name=self._given.endpoint_name,
            variant_name=CHAMPION,
            alarm_arns=alarms.arns,
        )
        self._output("EndpointName", endpoint.attr_endpoint_name, "Invoke this endpoint")
        self._output("EndpointConfigName", configuration.name, "The configuration that it should serve")

    def _output(self, name: str, value: str, description: str) -> None:
        """An output may be called like a parameter in CloudFormation, but not in the construct tree."""
        CfnOutput(self, f"{name}Output", value=value, description=description).override_logical_id(name)

    def _alarms(self) -> RollbackAlarms:
        settings = self._settings.alarms
        return RollbackAlarms(
            self,
            ALARMS,
            variant=WatchedVariant(
                endpoint_name=self._given.endpoint_name,
                variant_name=CHAMPION,
                topic_arn=self._given.alarm_topic_arn,
            ),
            rules=rollback_rules(settings),
            window=AlarmWindow(
                period_seconds=settings.period_seconds,
                evaluation_periods=settings.evaluation_periods,
                datapoints_to_alarm=settings.datapoints_to_alarm,
            ),
        )

    def _configuration(self) -> EndpointConfiguration:
        model = ServedModel(
            self,
            "Champion",
            logical_id=f"{self._ids}model",
            model_package_arn=self._given.model_package_arn,
            execution_role_arn=self._given.execution_role_arn,
        )
        champion = ServedVariant(
            name=CHAMPION, model_name=model.name, instance_count=self._given.instance_count.value_as_number
        )
        return EndpointConfiguration(
            self,
            "Serving",
            logical_id=f"{self._ids}config",
            instance_type=self._settings.instance_type,
            variants=[champion, *self._shadow()],
            capture=CaptureSettings(percent=self._settings.capture_percent, destination=self._given.capture_uri),
            encryption_key_arn=self._given.encryption_key_arn,
        )

    def _shadow(self) -> list[ServedVariant]:
        """The second version, if the settings allow one; a release without one leaves the parameter at its default."""
        package = self._given.shadow_model_package_arn
        if package is None:
            return []
        named = CfnCondition(self, "HasShadow", expression=Fn.condition_not(Fn.condition_equals(package, NO_MODEL)))
        model = ServedModel(
            self,
            "Candidate",
            logical_id=f"{self._ids}shadowmodel",
            model_package_arn=package,
            execution_role_arn=self._given.execution_role_arn,
            condition=named,
        )
        return [ServedVariant(name=SHADOW, model_name=model.name, instance_count=1, condition=named)]

    def _endpoint(self, configuration: EndpointConfiguration, alarms: RollbackAlarms) -> sagemaker.CfnEndpoint:
        shift = traffic_shift(self._settings.deployment)
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=self._given.endpoint_name, endpoint_config_name=configuration.name
        )
        # Conditions take CloudFormation's own spelling only, so the whole of it is written that way.
        endpoint.add_property_override(
            "DeploymentConfig", deployment(shift, traffic=self._traffic(shift), alarm_names=alarms.names)
        )
        return endpoint

    def _traffic(self, shift: TrafficShift) -> Any:
        """A fleet of one machine, as in staging, cannot be split."""
        if not shift.is_gradual:
            return routing(shift)
        alone = CfnCondition(
            self, "OneInstance", expression=Fn.condition_equals(self._given.instance_count.value_as_string, "1")
        )
        return {"Fn::If": [alone.logical_id, routing_at_once(shift), routing(shift)]}

    def _schedules(
        self,
        stage: Stage,
        project: Project,
        endpoint: sagemaker.CfnEndpoint,
        *,
        image_uri: str,
        given: MonitoringParameters,
    ) -> None:
        settings = stage.settings.monitoring
        monitored = CfnCondition(
            self, "Monitored", expression=Fn.condition_not(Fn.condition_equals(given.baseline_uri, NO_BASELINE))
        )
        # One parameter less: a release passes at most 1,000 characters.
        bucket = Fn.select(2, Fn.split("/", self._given.capture_uri))
        for name in settings.by_sagemaker:
            DataQualitySchedule(
                self,
                f"Schedule-{name}",
                name=project.monitor_name(stage.name, name),
                logical_id=f"{self._ids}monitor{name.replace('-', '')}",
                hours=settings.monitors[name].window_minutes // 60,
                endpoint=MonitoredEndpoint(
                    name=endpoint.attr_endpoint_name,
                    variant_name=CHAMPION,
                    model_package_arn=self._given.model_package_arn,
                    baseline_uri=given.baseline_uri,
                    output_uri=f"s3://{bucket}/{project.monitoring_prefix}{name}",
                ),
                job=MonitoringJob(
                    image_uri=image_uri,
                    policy=settings.policy.of_one_window().model_dump_json(),
                    role_arn=given.role_arn,
                    instance_type=settings.instance_type,
                    encryption_key_arn=self._given.encryption_key_arn,
                ),
                condition=monitored,
            )

    def _scaling(self, endpoint: sagemaker.CfnEndpoint) -> None:
        least, most = self._given.instance_count, self._given.maximum_instance_count
        scales = CfnCondition(
            self,
            "Scales",
            expression=Fn.condition_not(Fn.condition_equals(least.value_as_string, most.value_as_string)),
        )
        EndpointScaling(
            self,
            "Scaling",
            endpoint=endpoint,
            endpoint_name=self._given.endpoint_name,
            variant_name=CHAMPION,
            scaling=ScalingRange(
                minimum_instances=least.value_as_number,
                maximum_instances=most.value_as_number,
                invocations_per_instance=self._settings.invocations_per_instance,
            ),
            condition=scales,
        )
        # A deployment keeps the number of machines that scaling has arrived at. Everything else comes from the new
        # configuration: retained by default, too, would be whether and how requests are captured.
        endpoint.add_property_override("RetainAllVariantProperties", _if(scales, True, False))
        released = [{"VariantPropertyType": kind} for kind in ("DesiredWeight", "DataCaptureConfig")]
        endpoint.add_property_override(
            "ExcludeRetainedVariantProperties", _if(scales, released, {"Ref": "AWS::NoValue"})
        )


def _if(condition: CfnCondition, then: Any, otherwise: Any) -> dict[str, Any]:
    return {"Fn::If": [condition.logical_id, then, otherwise]}
