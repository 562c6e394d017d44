"""A model server of a few lines, run by the tests as the image's entrypoint: what it does stands in its model folder.

`behaviour.json`: version; seconds (how long an answer takes); status (of /invocations); ping (status of /ping);
exits (end at once); warm_up (seconds until it listens). A body of `die` ends the process without an answer, `die once`
the first time only (a file in the model folder remembers), `echo` answers the headers, anything else the version and
the body.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(os.environ["ML_BASE_DIR"]) / "model"
BEHAVIOUR = json.loads((FOLDER / "behaviour.json").read_text())


class Handler(BaseHTTPRequestHandler):
    """SageMaker's container contract."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(BEHAVIOUR.get("ping", 200), b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        died = FOLDER / "died"
        if body == b"die" or (body == b"die once" and not died.exists()):
            died.touch()
            os._exit(3)
        time.sleep(BEHAVIOUR.get("seconds", 0))
        text = json.dumps(dict(self.headers)) if body == b"echo" else f"{BEHAVIOUR['version']}:{body.decode()}"
        self._answer(BEHAVIOUR.get("status", 200), text.encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", f"version={BEHAVIOUR['version']}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """No log line for each request."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    assert sys.argv[1:] == ["serve"], sys.argv
    print(f"serving {BEHAVIOUR['version']} as {os.environ.get('GREETING', 'nobody')}", flush=True)
    if BEHAVIOUR.get("exits"):
        sys.exit(7)
    time.sleep(BEHAVIOUR.get("warm_up", 0))
    address = (os.environ["MODEL_SERVER_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    Server(address, Handler).serve_forever()
