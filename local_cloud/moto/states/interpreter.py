"""moto's interpreter of the Amazon States Language, loaded with the first definition: the grammar alone takes 1.7 s.

`tests/local_cloud/stepfunctions/test_interpreter.py` has a test for each repair of it:

1. every service integration and function call goes to the engine's task runner (`tasks.py`);
2. each attempt of a task that waits for a token gets its own, and an execution that is stopped ends the wait
   (`tasks.py`, `interpretation.py`);
3. all waiting passes on the scaled clock, and a timestamp is read as UTC (`waiting.py`);
4. `States.ALL` catches and retries neither States.Runtime nor States.DataLimitExceeded, as on AWS (`repairs.py`);
5. an intrinsic function that the grammar cannot read is refused, and not read in part (`repairs.py`).
"""

import threading
from typing import Any

from local_cloud.stepfunctions.interpretation import Interpretation, Program, TaskRunner


class StatesInterpreter:
    """Reads definitions and begins executions of them.

    `scale` is the clock's; a task has `shortest_work_seconds` of real time, or its TimeoutSeconds if they are fewer.
    """

    def __init__(self, tasks: TaskRunner, *, scale: float, shortest_work_seconds: float = 30.0) -> None:
        self._tasks = tasks
        self._scale = scale
        self._shortest_work_seconds = shortest_work_seconds
        self._lock = threading.Lock()
        self._loaded: Any = None

    def parse(self, definition: str) -> None:
        """Raise ValueError for a definition that it cannot read."""
        self._module().parse(definition)

    def __call__(self, program: Program) -> Interpretation:
        """A new execution."""
        interpretation: Interpretation = self._module().Interpretation(program)
        return interpretation

    def _module(self) -> Any:
        with self._lock:
            if self._loaded is None:
                # Here, since a cloud without state machines need not wait for the grammar.
                from local_cloud.moto.states import interpretation, repairs

                repairs.install(self._tasks, scale=self._scale, shortest_work_seconds=self._shortest_work_seconds)
                self._loaded = interpretation
            return self._loaded
