"""What else can go wrong around an incident, each until Prometheus has seen it: the runbooks ask for its traces."""

from __future__ import annotations

import json
from collections.abc import Mapping

import requests

from tests.acceptance.stand import BAD, OPERATOR, Stand
from tests.exporters.running import RunningExporter
from tests.grafana.seen import await_seen
from tests.prometheus_versions import Version

Urls = Mapping[Version, str]


def make_trouble(here: Stand, urls: Urls, exporter: RunningExporter) -> None:
    """A release that was rolled back is live again, and a human has been called: from bad to worse."""
    _hotfix_and_migration_fail(here, urls)
    _configuration_is_refused(here, urls)
    _alertmanager_has_another_token(here, urls)
    _alertmanager_is_down(here, urls)
    _a_person_gives_up(here, urls)
    _somebody_writes_into_the_audit_trail(here, urls)
    exporter.process.stop()
    await_seen(here, urls, 'ALERTS{alertname="SignalsMissing"}')


def _hotfix_and_migration_fail(here: Stand, urls: Urls) -> None:
    here.command("hotfix", "start", "qrl", "--eta", "10m", "--as", "ada")
    await_seen(here, urls, "rollback_hotfix_deadline_timestamp_seconds > 0")
    here.command("hotfix", "failed", "qrl", "--as", "ada")
    here.command("release", "finish", "qrl", BAD, "--migration", "failed", "--as", "ada")
    await_seen(here, urls, "rollback_hotfix_failed == 1 and rollback_hotfix_failed == release_migration_failed")


def _configuration_is_refused(here: Stand, urls: Urls) -> None:
    good = here.config.read_text()
    here.config.write_text(f"{good}nonsense: true\n")
    _reload(here, 500)
    await_seen(here, urls, "rollback_config_last_reload_successful == 0")
    here.config.write_text(good)
    _reload(here, 200)


def _alertmanager_has_another_token(here: Stand, urls: Urls) -> None:
    good = here.config.read_text()
    here.config.write_text(good.replace(str(here.token), str(here.write_token("other", "the-token-of-nobody-else"))))
    _reload(here, 200)
    news = [{"labels": {"alertname": "News", "branch": "news", "deployment": "elsewhere"}}]
    answer = requests.post(f"http://127.0.0.1:{here.ports['alertmanager']}/api/v2/alerts", json=news, timeout=30)
    assert answer.status_code == 200, answer.text
    await_seen(here, urls, 'sum(alertmanager_notifications_failed_total{integration="webhook"}) > 0')
    here.config.write_text(good)
    _reload(here, 200)


def _alertmanager_is_down(here: Stand, urls: Urls) -> None:
    assert here.alertmanager is not None
    here.alertmanager.stop()
    await_seen(here, urls, 'rollback_escalation_deliveries_total{outcome="failed"} > 0')
    here.start_alertmanager()
    await_seen(here, urls, 'up{job="alertmanager"} == 1')


def _a_person_gives_up(here: Stand, urls: Urls) -> None:
    for escalation in json.loads(here.command("status", "--json"))["escalations"]:
        here.command("answer", escalation["id"], "--give-up", "--as", "ada")
    await_seen(here, urls, 'rollback_latched == 1 and on (deployment) ALERTS{alertstate="firing", branch!=""}')


def _somebody_writes_into_the_audit_trail(here: Stand, urls: Urls) -> None:
    with (here.root / "logs" / "audit-trail.jsonl").open("a") as trail:
        trail.write("{}\n")
    await_seen(here, urls, "rollback_audit_intact == 0")


def _reload(here: Stand, expected: int) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    assert requests.post(f"{here.url}/-/reload", headers=headers, timeout=30).status_code == expected
