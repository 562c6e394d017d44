"""`baseline`: from training data to a baseline folder."""

import argparse
from pathlib import Path

import pyarrow as pa

from drift_monitor.attribution.served_model import read_served_model
from drift_monitor.bias.measure import BiasSettings
from drift_monitor.building import build, with_predictions
from drift_monitor.cli.output import print_table
from drift_monitor.errors import SettingsError
from drift_monitor.files.baseline_folder import write_baseline
from drift_monitor.files.bias import parse_bias_settings
from drift_monitor.files.documents import read_document
from drift_monitor.monitored_model import Answers, MonitoredModel, ProblemType
from drift_monitor.readers.table_columns import own_type
from drift_monitor.readers.tabular import read_table
from drift_monitor.report.markup import percent, several
from drift_monitor.schema import Column, ColumnType, DataSchema

_PREDICTION = "prediction"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "baseline",
        help="make a baseline folder from training data",
        description="Makes a baseline folder from a table: a .csv file with a header, a .parquet or .jsonl file, "
        "or a folder of such files.",
    )
    parser.add_argument("data", type=Path, help="the data that the model was trained on")
    parser.add_argument("--output", type=Path, required=True, help="the baseline folder to write")
    parser.add_argument(
        "--prediction", help='column with the model\'s answers (default: "prediction", if there is one)'
    )
    parser.add_argument("--label", help="column with the right answers; not an input")
    parser.add_argument("--holdout", type=Path, help="labelled data for the model's quality; default: the data itself")
    parser.add_argument(
        "--problem-type",
        choices=list(ProblemType),
        default=ProblemType.REGRESSION,
        help="what the model answers with (default: %(default)s)",
    )
    parser.add_argument("--probability", help="column with the probability of the positive (or the predicted) class")
    parser.add_argument("--positive", default="1", help="the positive class of a binary classifier (default: 1)")
    parser.add_argument("--category", action="append", default=[], help="column of numbers that are codes; repeatable")
    parser.add_argument("--ignore", action="append", default=[], help="column that is no input; repeatable")
    parser.add_argument("--bias", type=Path, metavar="FILE", help="Clarify's analysis_config.json: facets and label")
    parser.add_argument("--model", type=Path, metavar="FILE", help="model.tar.gz, for predictions and attributions")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    schema = infer_schema(options.data, options)
    answers = Answers(
        problem_type=ProblemType(options.problem_type),
        prediction=options.prediction or _PREDICTION,
        probability=options.probability,
        positive=options.positive,
        label=options.label,
    )
    model = _built(options, schema, answers)
    write_baseline(options.output, model)
    _print(model, options.output)
    return 0


def infer_schema(path: Path, options: argparse.Namespace) -> DataSchema:
    """The columns of a table, typed as they are stored; raises ReaderError if it cannot be read."""
    prediction = options.prediction or _PREDICTION
    outputs = {prediction, options.probability} - {None}
    others = {options.label, *options.ignore}
    fields = next(iter(read_table(path, schema=None))).schema
    # Of the others a holdout may have what the training data lacks, and a model answers by itself.
    given = set() if options.holdout or options.model else {options.label, options.prediction, options.probability}
    unknown = sorted(({*options.category, *options.ignore} | given) - {*fields.names, None})
    if unknown:
        raise SettingsError(f"{path} has no column {', '.join(unknown)}; it has {', '.join(fields.names)}")
    columns = [Column(one.name, ColumnType.STRING if one.name in options.category else _type(one)) for one in fields]
    # Not by the data: the answers of a regression model may happen to be whole numbers.
    answer = ColumnType.FRACTIONAL if options.problem_type == ProblemType.REGRESSION else ColumnType.STRING
    answers = [name for name in (prediction, options.probability) if name]
    return DataSchema(
        inputs=tuple(column for column in columns if column.name not in outputs | others),
        outputs=tuple(Column(name, answer if name == prediction else ColumnType.FRACTIONAL) for name in answers),
        ignored=tuple(options.ignore),
    )


def _type(field: pa.Field) -> ColumnType:
    return own_type(field.type)


def _built(options: argparse.Namespace, schema: DataSchema, answers: Answers) -> MonitoredModel:
    served = read_served_model(options.model) if options.model else None
    bias: BiasSettings | None = None
    if options.bias:
        bias = parse_bias_settings(read_document(options.bias), schema=schema, prediction=answers.prediction)
    tables = [read_table(path, schema=schema) for path in (options.data, options.holdout or options.data)]
    if served is not None:
        tables = [with_predictions(table, served, output=answers.prediction) for table in tables]
    holdout = pa.Table.from_batches(tables[1]) if answers.label else None
    if holdout is not None and answers.prediction not in holdout.schema.names:
        holdout = None
    return build(tables[0], schema=schema, answers=answers, holdout=holdout, bias=bias, model=served)


def _print(model: MonitoredModel, folder: Path) -> None:
    profile = model.baseline.profile
    rows = [
        (name, kind, f"{column.present:,}", percent(column.missing / max(1, column.present + column.missing)))
        for name, kind, column in (
            (one.name, str(one.type), profile.columns[one.name])
            for one in model.baseline.schema.columns
            if one.name in profile.columns
        )
    ]
    print_table(("column", "type", "values", "missing"), rows)
    parts = {
        "model quality": model.baseline.model_quality,
        "bias": model.baseline.bias,
        "attributions": model.baseline.attribution,
    }
    given = [name for name, part in parts.items() if part is not None]
    others = ", ".join(given) if given else "nothing on quality, which needs answers and labels"
    print(f"\n{several(profile.rows, 'row')}; also: {others}")
    print(f"written to {folder}")
