"""The composition root: builds every engine of one local cloud and wires them together. Nothing runs yet.

It starts and stops nothing (`cloud.py` does).
"""

from dataclasses import dataclass
from pathlib import Path

from local_cloud.authorization import Authorizer
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudformation.service import CloudFormation
from local_cloud.cloudwatch.actions import Actions
from local_cloud.cloudwatch.alarms import Alarms
from local_cloud.cloudwatch.function_metrics import MeasuredFunctionRunner
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.queue_metrics import QueueMetrics
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.codepipeline.service import CodePipeline
from local_cloud.endpoints.service import Hosting
from local_cloud.events.bus import EventBus
from local_cloud.events.delivery import Delivery
from local_cloud.functions.asynchronous import AsynchronousInvoker
from local_cloud.images import ImageStore
from local_cloud.mail import Mailboxes
from local_cloud.moto import rules
from local_cloud.moto.policies import MotoPolicies
from local_cloud.moto.queues import queue_depths
from local_cloud.moto.states.interpreter import StatesInterpreter
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.service import SageMaker
from local_cloud.scheduler.rules import ScheduledRules
from local_cloud.scheduler.service import Scheduler
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Service
from local_cloud.stepfunctions.service import StepFunctions
from local_cloud.stepfunctions.tasks import Tasks


@dataclass(frozen=True)
class Foundation:
    """What the engines share. `directory` is the server's state directory."""

    directory: Path
    clock: Clock
    clients: Clients
    processes: ProcessTable
    images: ImageStore
    events: EventBus
    metrics: MetricStore
    timetable: Timetable
    authorizer: Authorizer


@dataclass(frozen=True)
class Engines:
    """Every engine of one local cloud."""

    functions: MeasuredFunctionRunner
    later: AsynchronousInvoker
    delivery: Delivery
    scheduler: Scheduler
    rules: ScheduledRules
    mail: Mailboxes
    sagemaker: SageMaker
    hosting: Hosting
    alarms: Alarms
    cloudwatch: CloudWatch
    cloudformation: CloudFormation
    codepipeline: CodePipeline
    stepfunctions: StepFunctions

    def services(self) -> tuple[Service, ...]:
        """The services that the local cloud owns; all others are moto's."""
        return (
            self.cloudformation.service(),
            self.cloudwatch.service(),
            self.codepipeline.service(),
            self.hosting.extended(self.sagemaker.service()),
            self.hosting.runtime(),
            self.scheduler.service(),
            self.stepfunctions.service(),
        )


def lay_foundation(*, port: int, directory: Path, wait_scale: float) -> Foundation:
    """What the engines of the server at `port` share; `wait_scale` is the factor on AWS's waiting times."""
    clock = Clock(scale=wait_scale)
    return Foundation(
        directory=directory,
        clock=clock,
        clients=Clients(f"http://127.0.0.1:{port}", clock),
        processes=ProcessTable(directory),
        images=ImageStore(directory / "images"),
        events=EventBus(clock, rules.publish),
        metrics=MetricStore(clock),
        timetable=Timetable(clock),
        authorizer=Authorizer(MotoPolicies(), clock),
    )


def build_engines(base: Foundation) -> Engines:
    """The engines, each with what it needs of the foundation and of the others."""
    clients, clock = base.clients, base.clock
    functions = _functions(base)
    delivery = _delivery(base)
    alarms = _alarms(base)
    return Engines(
        functions=functions,
        later=AsynchronousInvoker(runner=functions, clients=clients, clock=clock),
        delivery=delivery,
        scheduler=Scheduler(clients=clients, clock=clock, timetable=base.timetable, ledger=delivery.ledger),
        rules=_scheduled_rules(base, delivery),
        mail=Mailboxes(base.directory, clock),
        sagemaker=_sagemaker(base),
        hosting=_hosting(base, alarms),
        alarms=alarms,
        cloudwatch=CloudWatch(metrics=base.metrics, alarms=alarms, clock=clock),
        cloudformation=CloudFormation(clients=clients, clock=clock),
        codepipeline=CodePipeline(clients=clients, clock=clock, events=base.events),
        stepfunctions=_stepfunctions(base),
    )


def owned_services() -> tuple[Service, ...]:
    """The operation tables, for the generated coverage page; nothing is started."""
    return build_engines(lay_foundation(port=1, directory=Path("unused"), wait_scale=1)).services()


def _functions(base: Foundation) -> MeasuredFunctionRunner:
    return MeasuredFunctionRunner(
        clients=base.clients,
        clock=base.clock,
        processes=base.processes,
        directory=base.directory / "functions",
        metrics=base.metrics,
    )


def _delivery(base: Foundation) -> Delivery:
    return Delivery(
        clients=base.clients,
        clock=base.clock,
        directory=base.directory,
        permits=base.authorizer.permits_delivery,
    )


def _scheduled_rules(base: Foundation, delivery: Delivery) -> ScheduledRules:
    return ScheduledRules(
        clock=base.clock, timetable=base.timetable, read=rules.scheduled_rules, deliver=delivery.deliver
    )


def _sagemaker(base: Foundation) -> SageMaker:
    return SageMaker(
        clients=base.clients,
        clock=base.clock,
        events=base.events,
        processes=base.processes,
        images=base.images,
        directory=base.directory,
        timetable=base.timetable,
    )


def _alarms(base: Foundation) -> Alarms:
    return Alarms(
        metrics=base.metrics,
        clock=base.clock,
        events=base.events,
        actions=Actions(clients=base.clients, resource_policy=MotoPolicies().resource_policy),
        sample=QueueMetrics(metrics=base.metrics, depths=queue_depths).sample,
    )


def _hosting(base: Foundation, alarms: Alarms) -> Hosting:
    return Hosting(
        clients=base.clients,
        clock=base.clock,
        events=base.events,
        processes=base.processes,
        images=base.images,
        directory=base.directory,
        alarm_state=alarms.state_of,
        record_metric=base.metrics.record,
    )


def _stepfunctions(base: Foundation) -> StepFunctions:
    interpreter = StatesInterpreter(Tasks(base.clients), scale=base.clock.scale)
    return StepFunctions(
        clients=base.clients,
        clock=base.clock,
        events=base.events,
        record_metric=base.metrics.record,
        interpreter=interpreter,
        parse=interpreter.parse,
    )
