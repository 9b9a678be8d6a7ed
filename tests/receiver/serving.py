"""The HTTP interface as it is served, on a real journal, and the bodies that are posted to it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry
from sqlalchemy import event

from receiver.announcements import Announcements
from receiver.app import Interface, RejectedCounts, create_app
from receiver.audit import AuditTrail
from receiver.audit_files import TrailFiles
from receiver.authentication import Access
from receiver.config import Config
from receiver.journal import notifications
from receiver.journal.database import Database, sqlite_url
from receiver.metrics import JournalCollector
from receiver.operators import Operators
from receiver.server import make_server
from receiver.tls import Tls
from receiver.web.site import Site
from receiver.web_config import WebConfig
from tests.receiver import migrated

PATIENCE = 60.0
"""Seconds that a request may take: a disk that other tests fill answers late, and the real limit would cut it off."""
TOKEN = "a-token-that-only-tests-use"
BEARER = f"Bearer {TOKEN}"
PIPELINE_TOKEN = "another-token-that-only-pipelines-use"
VIEWER = "Bearer a-token-of-one-who-only-looks"
OPERATOR = "Bearer a-token-of-one-who-decides"
ALERT = {"status": "firing", "labels": {"alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down"}}


@dataclass
class Receiver:
    """The interface, served; `told` counts how often the workers were told of a stored notification."""

    directory: Path
    database: Database
    app: Flask = field(default_factory=lambda: Flask("nothing"))
    url: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """Further keys of the configuration."""
    told: list[int] = field(default_factory=list)
    why_not_ready: str | None = None
    reloads: list[str | None] = field(default_factory=list)
    """What each reload is to say; it says why it failed, or None."""

    def reload(self) -> str | None:
        """One reload, as told."""
        return self.reloads.pop(0)

    @property
    def token_file(self) -> Path:
        return self.directory / "webhook.token"

    @property
    def pipeline_file(self) -> Path:
        return self.directory / "pipeline.token"

    def configuration(self) -> Config:
        """The configuration of which the interface needs who may do what."""
        more = dict(self.settings)
        return Config.model_validate(
            {
                "root": str(self.directory),
                "webhook": {"token_file": str(self.token_file)},
                "pipeline": {"token_file": str(self.pipeline_file)},
                "web": {"tokens": self.tokens()} | more.pop("web", {}),
                "prometheus": {"url": "http://127.0.0.1:9"},
                "alertmanager": {"url": "http://127.0.0.1:9"},
                "deployments": {
                    "qrl": {"target": {"releases": {"path": str(self.directory), "restart": ["/bin/true"]}}}
                },
            }
            | more
        )

    def tokens(self) -> dict[str, Any]:
        """The holders of tokens, as the configuration names them."""
        return {role: {"file": str(self.directory / f"{role}.token"), "role": role} for role in ("viewer", "operator")}

    def write_tokens(self) -> None:
        """Every token's file, readable by nobody else."""
        secrets = {"webhook": BEARER, "pipeline": f"Bearer {PIPELINE_TOKEN}", "viewer": VIEWER, "operator": OPERATOR}
        for name, header in secrets.items():
            file = self.directory / f"{name}.token"
            file.write_text(header.removeprefix("Bearer ") + "\n")
            file.chmod(0o600)

    def audited(self) -> list[dict[str, Any]]:
        """Every record of the audit trail."""
        file = self.directory / "audit-trail.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    def post(self, body: Any, path: str = "/api/v1/alerts", authorization: str | None = BEARER) -> requests.Response:
        """Post a body (bytes, an iterator for a chunked one, or what is sent as JSON)."""
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        headers = {} if authorization is None else {"Authorization": authorization}
        return requests.post(self.url + path, data=data, headers=headers, timeout=30, allow_redirects=False)

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def request(self, method: str, path: str, headers: dict[str, str]) -> requests.Response:
        """Any request without a body."""
        return requests.request(method, self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def raw(self, *lines: bytes, body: bytes = b"") -> bytes:
        """The whole answer to a request that is written as it is."""
        host, port = self.url.removeprefix("http://").split(":")
        length = [b"Content-Length: %d" % len(body)] if body else []
        head = b"\r\n".join((*lines, b"Host: receiver", b"Connection: close", *length))
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(head + b"\r\n\r\n" + body)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stored(self) -> list[tuple[dict[str, object], ...]]:
        """The alerts of every stored notification."""
        with self.database.read() as tx:
            return [one.alerts for one in notifications.due(tx, 1e12)]

    def counted(self, metric: str = "rollback_notifications_total") -> dict[str, float]:
        """What a scrape shows of a counter by outcome, without those that are 0."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = (sample for family in families for sample in family.samples if sample.name == metric)
        return {sample.labels["outcome"]: sample.value for sample in samples if sample.value}


@contextmanager
def serving(
    directory: Path,
    web_config: WebConfig | None = None,
    clock: Callable[[], float] = time.monotonic,
    request_time: float = PATIENCE,
    **settings: Any,
) -> Iterator[Receiver]:
    """A served interface whose journal, token files and all else lie in `directory`; `settings` replace top-level keys.

    Its announced deployments are `qrl` and `shop`.
    """
    with ExitStack() as stack:
        database = Database(sqlite_url(directory / "state.db"))
        stack.callback(database.close)
        # A writer that waits for another gives up soon, so that no test has to sit through the real patience.
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=200"))
        migrated.make(database)
        here = Receiver(directory, database, settings=settings)
        here.write_tokens()
        rejected, registry = RejectedCounts(database), CollectorRegistry()
        registry.register(JournalCollector(database, {}, rejected.flush, lambda: here.why_not_ready))
        access = Access(here.configuration(), web_config or WebConfig(), clock)
        audit = AuditTrail(TrailFiles(directory / "audit-trail.jsonl", directory / "audit.key"), time.time)
        interface = Interface(
            database=database,
            registry=registry,
            rejected=rejected,
            notify=lambda: here.told.append(1),
            why_not_ready=lambda: here.why_not_ready,
            announcements=lambda: Announcements(database, audit, ("qrl", "shop")),
            access=lambda: access,
            operators=lambda: Operators(database, audit, here.configuration()),
            reload=here.reload,
            site=Site(database, lambda: SimpleNamespace(access=access, config=here.configuration()), 0.0, b"k" * 32),
        )
        here.app = create_app(interface)
        tls = Tls(web_config.tls_server_config) if web_config and web_config.tls_server_config else None
        server = make_server(here.app, "127.0.0.1:0", request_time, tls=tls.context if tls else None)
        server.expiration_interval = 0.02  # how soon a stop is noticed
        server.prepare()
        here.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.bind_addr[1]}"
        thread = threading.Thread(target=server.serve)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.stop)
        yield here


def notification(*alerts: Any, **more: Any) -> dict[str, Any]:
    """The body of a notification."""
    return {"version": "4", "status": "firing", "alerts": list(alerts) or [ALERT], "truncatedAlerts": 0} | more


def padded(size: int) -> bytes:
    """A good notification of `size` bytes: JSON may end in spaces."""
    return json.dumps(notification()).encode().ljust(size)


def pieces(body: bytes) -> Iterator[bytes]:
    """The body in the pieces in which a client would send it."""
    return (body[start : start + 50_000] for start in range(0, len(body), 50_000))
