"""The stacks of a stage, each given what it needs of the others, and the check of their templates together.

Must not choose a stage or read anything: everything arrives from the composition root.
"""

from pathlib import Path

from aws_cdk import App

from stacks.data_lake_stack import DataLakeStack
from stacks.metric_checks import check_assembly
from stacks.monitoring_signals import emitted_metrics
from stacks.monitoring_stack import MonitoringStack
from stacks.release_stack import ReleaseStack
from stacks.stage import Stage
from stacks.training_stack import TrainingStack


def add_stacks(app: App, stage: Stage) -> None:
    """Give `app` the stacks of `stage`, with its tags."""
    stage.tag(app)
    data_lake = DataLakeStack(app, stage=stage)
    training = TrainingStack(app, stage=stage, data_lake=data_lake)
    ReleaseStack(app, stage=stage, data_lake=data_lake, training=training)
    MonitoringStack(app, stage=stage, data_lake=data_lake, training=training)


def synthesize(app: App, stage: Stage) -> None:
    """Write the templates of `stage`; raises MetricError where one watches what no analysis emits."""
    check_assembly(Path(app.synth().directory), emitted_metrics(stage))
