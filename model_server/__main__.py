"""The container's entry point: `python -m model_server serve`, as SageMaker calls it for inference.

Exit status: 0 after an orderly end, 1 if the model or a setting is not usable, 2 for another argument.
"""

import gc
import logging
import os
import sys
import time
from collections.abc import Sequence

import numpy as np

from model_server.application import Application
from model_server.artifact import load_served_model
from model_server.errors import ModelServerError
from model_server.logs import configure_logging
from model_server.serving import listen, serve
from model_server.settings import read_settings

_LOG = logging.getLogger("model_server")


def main(arguments: Sequence[str]) -> int:
    """Load the model, then serve it; the exit status."""
    configure_logging()
    if list(arguments) not in ([], ["serve"]):
        given = " ".join(arguments)
        _LOG.error("'%s' is no command of the model server, 'serve' is; a job names its own module", given)
        return 2
    started = time.monotonic()
    try:
        settings = read_settings(os.environ)
        model = load_served_model(settings.model_folder)
        listener = listen(settings)
    except ModelServerError as error:
        _LOG.error("the model server does not start: %s", error)
        return 1
    application = Application(model, settings.limits)
    # An infinite price is refused by its row; numpy need not warn of it in the log as well.
    np.seterr(over="ignore")
    # What is loaded stays: without this, a full collection walks over all of it and stalls a request.
    gc.collect()
    gc.freeze()
    fields = {**model.origin, "port": listener.getsockname()[1], "seconds": round(time.monotonic() - started, 3)}
    _LOG.info("serving", extra={"fields": fields})
    serve(application, listener, drain_seconds=settings.drain_seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
