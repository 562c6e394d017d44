"""Puts every repair of moto's interpreter in place; those of tasks and of waiting have modules of their own.

Patches: `IntrinsicParser.parse` and `ErrorEqualsDecl._eval_body`.
"""

import logging
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException, SyntaxErrorListener
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import (
    ASLIntrinsicLexer,
    ASLIntrinsicParser,
    CommonTokenStream,
    InputStream,
    IntrinsicParser,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor as IntrinsicPreprocessor

from local_cloud.moto.states import tasks as task_states
from local_cloud.moto.states import waiting
from local_cloud.stepfunctions.interpretation import TaskRunner

_UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")
_original_error_equals = ErrorEqualsDecl._eval_body


def install(tasks: TaskRunner, *, scale: float, shortest_work_seconds: float) -> None:
    """Replace moto's behaviour in this process; again with every new task runner.

    `shortest_work_seconds` of real time are every task's, however small its scaled TimeoutSeconds are.
    """
    task_states.install(tasks)
    waiting.install(scale, shortest_work_seconds)
    IntrinsicParser.parse = staticmethod(_parse_intrinsic)
    ErrorEqualsDecl._eval_body = _error_equals
    # Every failure of a task is logged as an error with the whole program, even one that a Catch expects.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def _parse_intrinsic(source: str) -> tuple[Any, Any]:
    listener = SyntaxErrorListener()
    lexer = ASLIntrinsicLexer(InputStream(source))
    parser = ASLIntrinsicParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(listener)
    tree = parser.func_decl()
    if listener.errors:
        raise ASLParserException([f"{source}: {error}" for error in listener.errors])
    return IntrinsicPreprocessor().visit(tree), tree


def _error_equals(self: ErrorEqualsDecl, env: Environment) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    error: ErrorName = env.stack[-1]
    if error.error_name in _UNCATCHABLE and error not in self.error_names:
        env.stack[-1] = False
        return
    _original_error_equals(self, env)
