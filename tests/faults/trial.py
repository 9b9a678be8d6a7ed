"""One trial: lives of one agent, each of which is killed, then one that is left alone, and the judgement."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
import yaml
from prometheus_client.parser import text_string_to_metric_families

from demo.processes import answers, free_port
from receiver.config import Config, load_config
from receiver.journal import deployments, releases, tables, views
from receiver.journal.database import Database, sqlite_url
from receiver.model import Result
from tests.faults.fleet import GOOD, Deployment, Fleet
from tests.faults.kills import Kill, Whom
from tests.faults.life import at_work
from tests.faults.nursery import Life, Nursery
from tests.faults.oracle import Judgement, Seen, is_at_rest, judge
from tests.faults.watchers import Watchers

TOKEN, OPERATOR = "a-token-that-only-tests-use", "a-token-of-one-who-decides"
LIMIT = 1000
SPARED = Kill(Whom.AGENT, 0.0)
"""The end of a life that nobody ends."""


@dataclass
class Trial:
    """An agent of its own in `directory`, with `size` deployments; its journal is there too, or in PostgreSQL."""

    directory: Path
    fleet: Fleet
    watchers: Watchers
    nursery: Nursery
    postgresql: str | None = None
    """The URL of an empty journal."""
    size: int = 16
    ready_after: list[float] = field(default_factory=list)
    """Seconds from the beginning of a life that came so far until it was ready."""
    at_rest_after: float = 0.0
    """Seconds from the beginning of the last life until nothing was left to do."""

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.fleet.renew((f"{self.directory.name}-{n}" for n in range(self.size)), self.directory / "srv")
        for name, token in (("webhook", TOKEN), ("operator", OPERATOR)):
            file = self.directory / f"{name}.token"
            file.write_text(token)
            file.chmod(0o600)
        self._config_file = self.directory / "agent.yml"
        self._config_file.write_text(yaml.safe_dump(self._settings()))
        self.config: Config = load_config(self._config_file)
        self.database = Database(self.postgresql or sqlite_url(self.config.root / "state.db"))

    def _settings(self) -> dict[str, Any]:
        return {
            "root": str(self.directory / "rollback"),
            "listen": self.url.removeprefix("http://"),
            "webhook": {"token_file": str(self.directory / "webhook.token")},
            "web": {"tokens": {"operator": {"file": str(self.directory / "operator.token"), "role": "operator"}}},
            "prometheus": {"url": self.watchers.prometheus, "max_age": "10s"},
            "alertmanager": {"url": self.watchers.alertmanager},
            "guardrails": {
                "storm": {"deployments": LIMIT},
                "daily_limit": {"limit": LIMIT},
                "cooldown": {"period": "1ms"},
                "disk_space": {"minimum_bytes": 0},
            },
            "deployments": {name: one.settings() for name, one in self.fleet.deployments.items()},
        } | self._journal()

    def _journal(self) -> dict[str, Any]:
        if self.postgresql is None:
            return {}
        file = self.directory / "journal.url"
        file.write_text(self.postgresql.replace("postgresql+psycopg", "postgresql"))
        file.chmod(0o600)
        return {"journal": {"postgresql": {"url_file": str(file)}}}

    def play(self, kills: list[Kill], patience: float = 120.0) -> Judgement:
        """All of it; raises TimeoutError where the agent does not come to rest within `patience` seconds."""
        self.begin(patience)
        for kill in kills:
            self._live(kill)
        began = time.monotonic()
        life = self.start(SPARED)
        try:
            self.attend(life, self.is_at_rest, patience)
            self.at_rest_after = time.monotonic() - began
            return judge(self.database, self.config.audit_files, self.seen())
        finally:
            life.kill(Whom.ALL)
            self.database.close()

    def start_only(self, kill: Kill) -> None:
        """A life that nobody does anything about, up to its end."""
        life = self.start(kill)
        life.ends_within(kill.after)
        life.kill(kill.whom)

    def begin(self, patience: float) -> None:
        """A first life in which each deployment proves good."""
        life = self.start(SPARED)
        try:
            self.attend(life, self.all_good, patience)
        finally:
            life.kill(Whom.AGENT)

    def _live(self, kill: Kill) -> None:
        for command in kill.breaks:
            self.fleet.go_wrong(command, self._is_over)
        began = time.monotonic()
        life = self.start(kill)
        is_ready = False
        while not life.ends_within(0.05) and (lived := time.monotonic() - began) < kill.after:
            if not is_ready and answers(f"{self.url}/-/ready"):
                is_ready = True
                self.ready_after.append(lived)
            self.tell()
            self.approve()
        life.kill(kill.whom)

    def start(self, kill: Kill) -> Life:
        """A life that ends like this; it is not ready yet."""
        return self.nursery.start(self._config_file, self.directory / "agent.log", kill, self.directory)

    def attend(self, life: Life, is_done: Callable[[], bool], patience: float) -> None:
        """Tell and approve what is to be, until it is done; raises TimeoutError where it is not in time."""
        deadline = time.monotonic() + patience
        while not (answers(f"{self.url}/-/ready") and is_done()):
            if life.ends_within(0.1):
                raise ChildProcessError(f"a life that nobody killed has ended; it said:\n{self.said()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the agent has not come to rest within {patience:g} s; it said:\n{self.said()}")
            self.tell()
            if answers(f"{self.url}/-/ready"):
                self.approve()

    def said(self) -> str:
        log = self.directory / "agent.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "nothing"

    # What Alertmanager and people do.

    def tell(self) -> None:
        """Post what was not accepted yet, as Alertmanager would again and again."""
        for one in self.fleet.deployments.values():
            if not one.is_told and self._post("/api/v1/alerts", TOKEN, _notification(one)) == 202:
                one.is_told = True

    def approve(self) -> None:
        """Approve whatever a person is asked."""
        with self.database.read() as tx:
            asked = views.pending_approvals(tx, self.database.now(tx))
        for one in asked:
            body = {"decision": "approve", "plan": one["plan_hash"]}
            self._post(f"/api/v1/incidents/{one['incident']}/decision", OPERATOR, body)

    def _post(self, path: str, token: str, body: dict[str, Any]) -> int | None:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return requests.post(self.url + path, json=body, headers=headers, timeout=30).status_code
        except requests.RequestException:  # the answer may break off anywhere
            return None

    # What can be seen.

    def is_at_rest(self) -> bool:
        """Whether all that went wrong was accepted, and nothing is left to do."""
        return self.is_told() and is_at_rest(self.database)

    def is_told(self) -> bool:
        """Tell what was not accepted yet; whether all is."""
        self.tell()
        return all(one.is_told for one in self.fleet.deployments.values())

    def all_good(self) -> bool:
        """Whether each deployment has proved good."""
        with self.database.read() as tx:
            known = [releases.known(tx, name).get(GOOD) for name in self.fleet.deployments]
        return all(one is not None and one.good_at is not None for one in known)

    def _is_over(self, name: str) -> bool:
        """Whether a deployment was restored as often as it went wrong, so that it may go wrong again."""
        with self.database.read() as tx:
            found = tx.execute(sa.select(tables.run).where(tables.run.c.deployment == name)).all()
            is_latched = deployments.latch_of(tx, name) is not None
        restored = [run for run in found if run.result == Result.RESTORED and run.state == "finished"]
        return not is_latched and len(restored) == len(found) == self.fleet.deployments[name].breaks

    def seen(self) -> Seen:
        """What is to be held against the journal and the trail."""
        left: dict[str, float] = {}
        for family in text_string_to_metric_families(requests.get(f"{self.url}/metrics", timeout=30).text):
            if family.name == "rollback_budget_remaining":
                left = {sample.labels["deployment"]: sample.value for sample in family.samples}
        every = self.fleet.deployments.values()
        return Seen(
            accepted={one.name: one.breaks for one in every},
            effects=sum((one.effects() for one in every), Counter()),
            calls=frozenset(self.watchers.calls()),
            budget=left,
            limit=LIMIT,
        )

    def points(self) -> Counter[str]:
        """The points at which lives have ended, each as often as one did."""
        file = self.directory / "reached"
        return Counter(file.read_text().splitlines()) if file.exists() else Counter()

    def left_behind(self) -> set[int]:
        """What still runs of what the agent has started."""
        return at_work(self.directory)


def _notification(one: Deployment) -> dict[str, Any]:
    labels = {"alertname": "ServiceDown", "branch": "service_down", "deployment": one.name}
    return {"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": labels}]}
