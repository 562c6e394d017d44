"""The server process: builds the engines, puts them behind moto's wire layer, and serves them on 127.0.0.1.

`python -m local_cloud.server --port 5055 --state-dir .local-cloud` runs it in the foreground; users start it with
`python -m local_cloud up`.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from local_cloud import moto_patches
from local_cloud.authorization import Authorizer
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.cloudformation.service import CloudFormation
from local_cloud.cloudwatch.actions import Actions
from local_cloud.cloudwatch.alarms import Alarms
from local_cloud.cloudwatch.embedded_metrics import EmbeddedMetrics
from local_cloud.cloudwatch.function_metrics import MeasuredFunctionRunner
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.queue_metrics import QueueMetrics
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.codepipeline.service import CodePipeline
from local_cloud.endpoints.service import Hosting
from local_cloud.errors import LocalCloudError
from local_cloud.events.bus import EventBus
from local_cloud.events.delivery import Delivery
from local_cloud.events.pattern import matches
from local_cloud.functions.asynchronous import AsynchronousInvoker
from local_cloud.images import ImageStore
from local_cloud.mail import Mailboxes
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.service import SageMaker
from local_cloud.scheduler.rules import ScheduledRules
from local_cloud.scheduler.service import Scheduler
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Service
from local_cloud.state import StateDirectory
from local_cloud.stepfunctions.service import StepFunctions
from local_cloud.stepfunctions.tasks import Tasks

DEFAULT_WAIT_SCALE = 0.01
_log = logging.getLogger("local_cloud")
StartResponse = Callable[..., Any]


class Cloud:
    """Every engine of one local cloud, wired together."""

    def __init__(self, *, port: int, state_directory: Path, wait_scale: float = DEFAULT_WAIT_SCALE) -> None:
        self.clock = Clock(scale=wait_scale)
        self.clients = Clients(f"http://127.0.0.1:{port}", self.clock)
        self.processes = ProcessTable(state_directory)
        self.events = EventBus(self.clock, moto_patches.publish)
        self.metrics = MetricStore(self.clock)
        self.functions = MeasuredFunctionRunner(
            clients=self.clients,
            clock=self.clock,
            processes=self.processes,
            directory=state_directory / "functions",
            metrics=self.metrics,
        )
        self.later = AsynchronousInvoker(runner=self.functions, clients=self.clients, clock=self.clock)
        self.authorizer = Authorizer(moto_patches.MotoPolicies(), self.clock)
        self.delivery = Delivery(
            clients=self.clients,
            clock=self.clock,
            directory=state_directory,
            permits=self.authorizer.permits_delivery,
        )
        self.mail = Mailboxes(state_directory, self.clock)
        self.timetable = Timetable(self.clock)
        self.scheduler = Scheduler(
            clients=self.clients, clock=self.clock, timetable=self.timetable, ledger=self.delivery.ledger
        )
        self.rules = ScheduledRules(
            clock=self.clock,
            timetable=self.timetable,
            read=moto_patches.scheduled_rules,
            deliver=self.delivery.deliver,
        )
        images = ImageStore(state_directory / "images")
        self.sagemaker = SageMaker(
            clients=self.clients,
            clock=self.clock,
            events=self.events,
            processes=self.processes,
            images=images,
            directory=state_directory,
            timetable=self.timetable,
        )
        self.alarms = Alarms(
            metrics=self.metrics,
            clock=self.clock,
            events=self.events,
            actions=Actions(clients=self.clients, resource_policy=moto_patches.MotoPolicies().resource_policy),
            sample=QueueMetrics(metrics=self.metrics, depths=moto_patches.queue_depths).sample,
        )
        self.cloudwatch = CloudWatch(metrics=self.metrics, alarms=self.alarms, clock=self.clock)
        self.hosting = Hosting(
            clients=self.clients,
            clock=self.clock,
            events=self.events,
            processes=self.processes,
            images=images,
            directory=state_directory,
            alarm_state=self.alarms.state_of,
            record_metric=self.metrics.record,
        )
        self.cloudformation = CloudFormation(clients=self.clients, clock=self.clock)
        self.codepipeline = CodePipeline(clients=self.clients, clock=self.clock, events=self.events)
        interpreter = moto_patches.StatesInterpreter(Tasks(self.clients), scale=wait_scale)
        self.stepfunctions = StepFunctions(
            clients=self.clients,
            clock=self.clock,
            events=self.events,
            record_metric=self.metrics.record,
            interpreter=interpreter,
            parse=interpreter.parse,
        )

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

    def _engines(self) -> tuple[Any, ...]:
        """In the order in which they can be stopped: functions end what asynchronous invocations wait for."""
        return (
            self.stepfunctions,
            self.codepipeline,
            self.cloudformation,
            self.hosting,
            self.sagemaker,
            self.cloudwatch,
            self.functions,
            self.later,
            self.scheduler,
            self.delivery,
        )

    def hooks(self) -> moto_patches.Hooks:
        """What moto hands over to the engines."""
        return moto_patches.Hooks(
            services=self.services(),
            gate=self.authorizer,
            deliver=self.delivery.deliver,
            emit=self.events.emit,
            invoke=self.functions.invoke,
            invoke_later=self.later.invoke,
            observe_logs=EmbeddedMetrics(self.metrics).take,
            matches=matches,
            check_schedule=self.rules.check,
            rules_changed=self.rules.changed,
            mail=self.mail,
        )

    def reset(self) -> None:
        """Stop what runs and forget everything: the account is as new afterwards."""
        self.timetable.clear()
        self.rules.reset()
        for engine in self._engines():
            engine.reset()
        moto_patches.reset()
        self.mail.reset()
        self.clients.forget_roles()
        self.authorizer.reset()

    def close(self) -> None:
        """Stop every engine and every child process."""
        self.timetable.close()
        for engine in self._engines():
            engine.close()
        self.processes.stop_all()

    def wait_until_idle(self, *, timeout: float) -> bool:
        """Whether every event was delivered and every function it invoked has ended, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (remaining := deadline - time.monotonic()) > 0:
            before = len(self.delivery.ledger.entries())
            working = (self.hosting, self.alarms, self.scheduler, self.delivery, self.later, self.functions)
            if (
                all(engine.wait_until_idle(remaining) for engine in working)
                and len(self.delivery.ledger.entries()) == before
            ):
                return True
        return False

    def status(self) -> dict[str, Any]:
        """What `python -m local_cloud status` shows of the engines."""
        return {
            "running": True,
            "pid": os.getpid(),
            "refused": self.authorizer.refusals(),
            "deliveries": self.delivery.ledger.entries(),
            "endpoints": self.hosting.status(),
            "state_machines": self.stepfunctions.status(),
            "mail": self.mail.status(),
        }


class ControlPages:
    """The local cloud's own pages (`/_local-cloud/...`) and the reset, in front of the AWS services."""

    def __init__(self, cloud: Cloud, services: Callable[..., Iterable[bytes]]) -> None:
        self._cloud = cloud
        self._services = services

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/moto-api/reset" and environ["REQUEST_METHOD"] == "POST":
            self._cloud.reset()
            return _json(start_response, {"status": "ok"})
        if path.startswith("/_local-cloud/"):
            return self._page(path.removeprefix("/_local-cloud/"), environ, start_response)
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(".LookupEvents"):
            # The CDK CLI asks CloudTrail to explain a failed deploy; the reason is in the stack's events here.
            return _json(start_response, {"Events": []})
        return self._services(environ, start_response)

    def _page(self, page: str, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if page == "health":
            return _json(start_response, {"status": "ok", "pid": os.getpid()})
        if page == "status":
            return _json(start_response, self._cloud.status())
        if page == "decisions":
            return _json(start_response, [asdict(entry) for entry in self._cloud.authorizer.log.entries()])
        if page == "idle":
            return _json(start_response, {"idle": self._cloud.wait_until_idle(timeout=30)})
        if page.startswith("cfn-response/"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self._cloud.cloudformation.complete_custom_resource(page.split("/", 1)[1], json.loads(body or b"{}"))
            return _json(start_response, {})
        return _json(start_response, {"error": f"no such page: {page}"}, status="404 Not Found")


def _json(start_response: StartResponse, value: Any, *, status: str = "200 OK") -> Iterable[bytes]:
    body = json.dumps(value, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


class _RequestHandler(moto_patches.RequestHandler):  # type: ignore[misc]
    """moto's request handler without a log line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        _log.debug("%s %s %s", self.command, self.path, code)


def serve(*, port: int, state_directory: Path, wait_scale: float = DEFAULT_WAIT_SCALE) -> None:
    """Run the server until SIGTERM or SIGINT; port 0 takes a free one.

    Raises StateError if another server runs in the state directory, LocalCloudError if the port is taken.
    """
    with _listen(port) as listener, StateDirectory(state_directory).claim(port=listener.getsockname()[1]) as news:
        for line in news:
            print(line, flush=True)
        _serve(listener, state_directory, wait_scale)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise LocalCloudError(
            f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); choose another with --port, or --port 0"
        ) from None
    listener.listen(128)
    return listener


def _serve(listener: socket.socket, state_directory: Path, wait_scale: float) -> None:
    port = listener.getsockname()[1]
    cloud = Cloud(port=port, state_directory=state_directory, wait_scale=wait_scale)
    moto_patches.install(cloud.hooks())
    application = ControlPages(cloud, moto_patches.application())
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=_RequestHandler, fd=listener.fileno()
    )

    def stop(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"READY http://127.0.0.1:{port} pid {os.getpid()}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        _log.info("stopping")
    finally:
        cloud.close()


def owned_services() -> tuple[Service, ...]:
    """The operation tables, for the generated coverage page; nothing is started."""
    return Cloud(port=1, state_directory=Path("unused")).services()


def main() -> None:
    """Entry point of the server process."""
    parser = argparse.ArgumentParser(prog="python -m local_cloud.server", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--state-dir", type=Path, required=True, help="folder for logs, images and job files")
    parser.add_argument(
        "--wait-scale", type=float, default=DEFAULT_WAIT_SCALE, help="factor on AWS's waiting times (default 0.01)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        serve(port=arguments.port, state_directory=arguments.state_dir.resolve(), wait_scale=arguments.wait_scale)
    except LocalCloudError as error:
        sys.exit(f"error: {error}")
    # Everything is stopped and stored; taking down what moto and cfn-lint loaded would cost seconds more.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
