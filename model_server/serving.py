"""Running an application on uvicorn: one process, one event loop, an orderly end on SIGTERM."""

import logging
import signal
import socket

from uvicorn.config import Config
from uvicorn.server import Server

from model_server.application import Application
from model_server.errors import SettingsError
from model_server.settings import ServerSettings

_LOG = logging.getLogger("model_server")
_BACKLOG = 2048
# Longer than the idle time of those who connect, so that it is never the server that closes a connection which the
# other end is about to use.
_KEEP_ALIVE_SECONDS = 120


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket; raises SettingsError if the address cannot be had."""
    try:
        return socket.create_server((settings.host, settings.port), backlog=_BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); set SAGEMAKER_BIND_TO_PORT"
        ) from None


def serve(application: Application, listener: socket.socket, *, drain_seconds: float) -> None:
    """Serve until SIGTERM or SIGINT; then finish what has begun, for at most `drain_seconds`, and return."""
    config = Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # Who the caller is makes no difference, so nobody need look for it in the headers of every request.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )
    server = Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again once it has drained; by then this handler is back and has nothing left to do.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run(sockets=[listener])
    _LOG.info("stopped", extra={"fields": {"requests": server.server_state.total_requests}})
