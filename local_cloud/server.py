"""The server process: one local cloud behind moto's wire layer, served on 127.0.0.1.

`python -m local_cloud.server --port 5055 --state-dir .local-cloud` runs it in the foreground; users start it with
`python -m local_cloud up`.
"""

import argparse
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from local_cloud.cloud import Cloud
from local_cloud.control_pages import ControlPages
from local_cloud.errors import LocalCloudError
from local_cloud.moto import installation
from local_cloud.state import StateDirectory

DEFAULT_WAIT_SCALE = 0.01
_log = logging.getLogger("local_cloud")


class _RequestHandler(installation.RequestHandler):  # type: ignore[misc]
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
    installation.install(cloud.hooks())
    application = ControlPages(cloud, installation.application())
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
