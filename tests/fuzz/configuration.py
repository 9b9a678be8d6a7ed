"""Files of configuration and of rules: each is read, or refused with lines that name the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from configfile import ConfigError, load
from exporters.config import Config as ExporterConfig
from receiver.config import Config
from receiver.rules.files import read_rule_files
from receiver.web_config import WebConfig
from tests.fuzz.structure import Source

WORDS = (
    "root", "listen", "webhook", "pipeline", "web", "prometheus", "alertmanager", "decision", "approval", "guardrails",
    "log", "audit", "deployments", "target", "releases", "script", "kubernetes", "helm", "systemd", "compose", "backup",
    "path", "paths", "restart", "url", "url_file", "timeout", "token_file", "roles", "tokens", "file", "role", "keep",
    "count", "age", "verify", "diagnosis", "autonomy", "services", "checks", "access_logs", "format", "user_field",
    "user_label", "http", "command", "kind", "interval", "cooldown", "daily_limit", "period", "limit", "storm", "qrl",
    "groups", "name", "rules", "alert", "record", "expr", "for", "labels", "annotations", "keep_firing_for",
    "basic_auth_users", "tls_server_config", "cert_file", "key_file", "client_auth_type", "client_ca_file", "5m",
    "9h1s", "99999999999999999999d", "http://h", "/bin/true", "127.0.0.1:0", "~nobody/x", "../..", "\0", "\n", "L3",
    "\x1b[31m",
)  # fmt: skip

AGENT: dict[str, Any] = {
    "root": "state",
    "webhook": {"token_file": "token"},
    "prometheus": {"url": "http://127.0.0.1:9090/"},
    "alertmanager": {"url": "http://[::1]:9093/alerts/"},
    "deployments": {"qrl": {"target": {"releases": {"path": "srv", "restart": ["/bin/true"]}}}},
}
EXPORTER: dict[str, Any] = {
    "deployments": {"qrl": {"services": {"fastapi": {"access_logs": [{"path": "x.log", "format": "combined"}]}}}}
}
WEB: dict[str, Any] = {"tls_server_config": {"cert_file": "c", "key_file": "k"}, "basic_auth_users": {}}
RULES: dict[str, Any] = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "labels": {"a": "b"}}]}]}

READERS: tuple[tuple[dict[str, Any], Callable[[Path], object]], ...] = (
    (AGENT, lambda file: load(file, Config)),
    (EXPORTER, lambda file: load(file, ExporterConfig)),
    (WEB, lambda file: load(file, WebConfig)),
    (RULES, lambda file: read_rule_files(file.parent)),
)


def check(data: bytes, directory: Path) -> None:
    """The first byte says which reader, and whether the rest is the file, or what is to be changed in a good one."""
    source = Source(data, WORDS)
    choice = source.byte()
    good, read = READERS[choice % len(READERS)]
    file = directory / "fuzzed.rules.yml"
    file.write_bytes(source.rest() if choice & 128 else json.dumps(_changed(good, source)).encode())
    try:
        read(file)
    except ConfigError as refusal:
        lines = str(refusal).split("\n")
        assert all(line.startswith(f"{file}:") and line.isprintable() for line in lines), lines


def _changed(good: dict[str, Any], source: Source) -> Any:
    """A copy of `good` in which up to three values were replaced or added."""
    changed = deepcopy(good)
    for _ in range(1 + source.byte() % 3):
        at: Any = changed
        for _ in range(source.byte() % 8):
            inner = list(at.values() if isinstance(at, dict) else at)
            chosen = inner[source.byte() % len(inner)] if inner else None
            if not isinstance(chosen, dict | list):
                break
            at = chosen
        if isinstance(at, dict):
            keys = list(at)
            choice = source.byte()
            key = source.word() if choice % 2 or not keys else keys[choice // 2 % len(keys)]
            at[key] = source.value()
        else:
            at.append(source.value())
    return changed
