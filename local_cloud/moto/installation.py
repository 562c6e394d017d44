"""moto with every patch in place: the WSGI application behind the server.

moto is imported in this package only, so that an upgrade is read in one place; it is pinned exactly. Each module has
the patches of one concern and says which of moto's names it replaces; each has its tests, most of them in
`tests/local_cloud/moto/`.
"""

import warnings
from collections.abc import Callable, Iterable

from moto import backends as moto_services
from moto.core.config import default_user_config
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from local_cloud.moto import functions, mail, requests, rules, s3, sagemaker_runtime, sessions
from local_cloud.moto.hooks import Hooks

RequestHandler = MotoRequestHandler


def install(hooks: Hooks) -> None:
    """Replace moto's behaviour in this process. Call once, before the first request."""
    default_user_config["iam"]["load_aws_managed_policies"] = True
    # moto asks the disk for the names of its 175 services, with every request.
    modules = tuple(moto_services.list_of_moto_modules())
    moto_services.list_of_moto_modules = lambda: modules
    warnings.filterwarnings("ignore", message="Exception.*does not match an error shape")
    sessions.install()
    sagemaker_runtime.install()
    for part in (requests, s3, functions, rules, mail):
        part.install(hooks)


def application() -> Callable[..., Iterable[bytes]]:
    """moto's WSGI application: every AWS service behind one port, told apart by the request's signature."""
    wsgi: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
    return wsgi


def reset() -> None:
    """Empty every moto backend."""
    sessions.reset()
    moto_api_backend.reset()
