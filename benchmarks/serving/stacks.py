"""The servers that are compared, each as it is run in a container: one worker, one thread, all on 127.0.0.1.

The peer copies what SageMaker's own containers run (sagemaker-containers 2.8, `_server.py` and `nginx.conf.template`):
nginx with its access log, a Unix socket, gunicorn with a gevent worker, Flask.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.serving.models import Models
from benchmarks.serving.peer_environment import nginx
from benchmarks.serving.processes import ProcessGroup, environment_of

OURS = "model_server"
FRAMES = "nginx + gunicorn gevent + Flask, scikit-learn pipeline on frames"
ONNX = "nginx + gunicorn gevent + Flask, ONNX Runtime"
FLOOR = "nginx `return 200`, no model"

_NGINX = """
user {user};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
  access_log {folder}/access.log combined;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream gunicorn {{ server unix:{folder}/gunicorn.sock; }}
  server {{
    listen 127.0.0.1:{port} deferred;
    client_max_body_size 0;
    keepalive_timeout 3;
    keepalive_requests 1000000;
    location ~ ^/(ping|invocations|execution-parameters) {{
      {answer}
    }}
    location / {{ return 404 "{{}}"; }}
  }}
}}
"""
_PROXY = """proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $http_host;
      proxy_redirect off;
      proxy_read_timeout 60s;
      proxy_pass http://gunicorn;"""


@dataclass(frozen=True)
class Places:
    """What the servers need: an empty folder, a free port, and the two interpreters."""

    folder: Path
    port: int
    ours: Path
    peer: Path


def start(stack: str, models: Models, places: Places) -> ProcessGroup:
    """Start a stack; it may not listen yet."""
    group = ProcessGroup(places.folder / "server.log")
    if stack == OURS:
        environment = environment_of(
            PYTHONPATH=str(ROOT),
            ML_BASE_DIR=str(models.artifact_base),
            MODEL_SERVER_HOST="127.0.0.1",
            SAGEMAKER_BIND_TO_PORT=str(places.port),
        )
        group.start([str(places.ours), "-m", "model_server", "serve"], environment=environment, folder=ROOT)
        return group
    if stack != FLOOR:
        _start_gunicorn(group, stack, models, places)
    answer = _PROXY if stack != FLOOR else 'return 200 "1\\n";'
    configuration = places.folder / "nginx.conf"
    # Started by root, nginx would give up the rights that it needs to reach the socket.
    user = pwd.getpwuid(os.geteuid()).pw_name
    configuration.write_text(_NGINX.format(folder=places.folder, port=places.port, answer=answer, user=user))
    group.start([nginx(), "-c", str(configuration)], environment=environment_of(), folder=places.folder)
    return group


def _start_gunicorn(group: ProcessGroup, stack: str, models: Models, places: Places) -> None:
    model = (
        {"PEER_PICKLE": str(models.pickle)}
        if stack == FRAMES
        else {"PEER_ARTIFACT": str(models.artifact_base / "model")}
    )
    command = [str(places.peer), "-m", "gunicorn", "--timeout", "60", "-k", "gevent", "--workers", "1"]
    command += [
        "--no-control-socket",
        "--bind",
        f"unix:{places.folder}/gunicorn.sock",
        "benchmarks.serving.peer_app:create_app()",
    ]
    group.start(command, environment=environment_of(PYTHONPATH=str(ROOT), **model), folder=places.folder)
