"""How the production endpoint's traffic was split over time, from the local cloud's own account of it.

AWS shows the same as it happens (DescribeEndpoint, PendingDeploymentSummary), but keeps no history of it.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from demo.deployed import Deployed

_LIMIT_SECONDS = 10


@dataclass(frozen=True)
class Change:
    """One change of the endpoint: seconds since the epoch, its status, and the share of each version (0 to 1)."""

    moment: float
    status: str
    note: str
    share: Mapping[str, float]


@dataclass
class TrafficHistory:
    """The history of production. It learns which endpoint configuration is which version, one release at a time."""

    deployed: Deployed
    _versions: dict[str, str] = field(default_factory=dict)

    def changes(self, *, releasing: str) -> list[Change]:
        """All changes so far, the oldest first; configurations that were not seen before are `releasing`'s."""
        return [self._change(entry, releasing) for entry in self._entries()]

    def _change(self, entry: Mapping[str, Any], releasing: str) -> Change:
        share = {
            self._versions.setdefault(config, releasing): part for config, part in entry["traffic"].items() if part
        }
        moment = datetime.fromisoformat(entry["time"]).timestamp()
        return Change(moment, entry["status"], entry["note"], share)

    def _entries(self) -> list[dict[str, Any]]:
        url = urlsplit(self.deployed.environment["AWS_ENDPOINT_URL"])
        with closing(HTTPConnection(str(url.hostname), url.port, timeout=_LIMIT_SECONDS)) as connection:
            connection.request("GET", "/_local-cloud/status")
            endpoints = json.loads(connection.getresponse().read())["endpoints"]
        name = self.deployed.names.production_endpoint
        return next((endpoint["history"] for endpoint in endpoints if endpoint["name"] == name), [])
