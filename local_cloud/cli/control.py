"""Requests to the server's own pages (`/_local-cloud/...`) and boto3 clients for what it emulates."""

import http.client
import json
import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local_cloud.cli.errors import CommandError
from local_cloud.cli.variables import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local_cloud.state import ServerRecord, StateDirectory

_CONFIG = Config(retries={"max_attempts": 1, "mode": "standard"}, connect_timeout=5, read_timeout=120, proxies={})


def request(server: ServerRecord, path: str, *, method: str = "GET", timeout: float = 10) -> Any:
    """The JSON that the server answers. Straight to 127.0.0.1, whatever proxies are set. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"no sense in the answer to {path}: {error!r}") from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise OSError(f"{path} answered {response.status}")
    return json.loads(body)


def is_healthy(server: ServerRecord) -> bool:
    """Whether that server answers (and not another program on its port)."""
    try:
        answer = request(server, "/_local-cloud/health", timeout=2)
    except (OSError, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("pid") == server.pid


def running_server(state: StateDirectory) -> ServerRecord:
    """The server of a state directory; raises CommandError if there is none."""
    server = state.server()
    if server is None:
        raise CommandError(f"no local cloud runs in {state.path}; start it with: python -m local_cloud up")
    return server


def aws_client(server: ServerRecord, service: str) -> Any:
    """A client with the rights of the account's administrator."""
    return endpoint_client(server.url, service)


def endpoint_client(url: str, service: str) -> Any:
    """`aws_client` for the local cloud at a URL."""
    # Whatever profile or settings file the user has is for real accounts (and may not even exist).
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session = boto3.session.Session(
        botocore_session=core,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=REGION,
    )
    return session.client(service, endpoint_url=url, config=_CONFIG)
