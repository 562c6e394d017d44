"""The alarm policy among the options of a command."""

import argparse
import json
from pathlib import Path
from typing import Any

from drift_monitor.drift.policy import AlarmPolicy, parse_policy
from drift_monitor.errors import SettingsError
from drift_monitor.files.documents import read_document


def add_policy_options(parser: argparse.ArgumentParser) -> None:
    """--policy and --set."""
    parser.add_argument("--policy", type=Path, metavar="FILE", help="JSON object with fields of the alarm policy")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one field of the alarm policy, such as effect_floor=0.1 or windows_to_alarm=2; may be repeated",
    )


def chosen_policy(options: argparse.Namespace) -> AlarmPolicy:
    """The policy of the options; raises SettingsError naming the field that cannot be used."""
    settings: dict[str, Any] = read_document(options.policy) if options.policy else {}
    for text in options.set:
        name, separator, value = text.partition("=")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            separator = ""
        if not separator:
            raise SettingsError(f"--set {text}: write NAME=VALUE with a number, such as effect_floor=0.1")
    return parse_policy(settings)
