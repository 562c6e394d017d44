"""The local cloud's own pages (`/_local-cloud/...`) and the reset, in front of the AWS services."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from local_cloud.cloud import Cloud

StartResponse = Callable[..., Any]


class ControlPages:
    """A WSGI application: its own pages, and `services` for every other request."""

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
            return _json(start_response, self._cloud.decisions())
        if page == "idle":
            return _json(start_response, {"idle": self._cloud.wait_until_idle(timeout=30)})
        if page.startswith("cfn-response/"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self._cloud.complete_custom_resource(page.split("/", 1)[1], json.loads(body or b"{}"))
            return _json(start_response, {})
        return _json(start_response, {"error": f"no such page: {page}"}, status="404 Not Found")


def _json(start_response: StartResponse, value: Any, *, status: str = "200 OK") -> Iterable[bytes]:
    body = json.dumps(value, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
