"""The receiver's configuration: the guide's numbers by default, and a message for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from configfile import ConfigError
from receiver.config import load_config
from receiver.model import Autonomy

BAD = sorted((Path(__file__).parent / "configs" / "bad").glob("*.yml"))

SMALLEST = """\
root: state
webhook: {token_file: token}
prometheus: {url: "http://127.0.0.1:9090/"}
alertmanager: {url: "http://[::1]:9093/alerts/"}
deployments:
  qrl: {target: {releases: {path: srv, restart: [/bin/true]}}}
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_mistake_has_its_message(path: Path) -> None:
    """Each file of configs/bad is refused with exactly the lines that its comments at the top give."""
    content = path.read_text().splitlines()
    expected = [f"{path}:{line.removeprefix('# ')}" for line in content if line.startswith("# ")]
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert str(refusal.value).splitlines() == expected


def test_there_are_bad_files() -> None:
    """The files of configs/bad are found; without them the test above would test nothing."""
    assert len(BAD) >= 30


def test_defaults_are_those_of_the_guide(tmp_path: Path) -> None:
    """What is left out has the operations guide's value: 3 in 24 h, 5 min apart, 1 GB, above 0.90, from 0.70."""
    path = tmp_path / "agent.yml"
    path.write_text(SMALLEST)
    config = load_config(path)
    limits, qrl = config.guardrails, config.deployments["qrl"]
    assert (limits.daily_limit.limit, limits.daily_limit.period) == (3, 24 * 3600)
    assert (limits.cooldown.period, limits.disk_space.minimum_bytes) == (300, 10**9)
    assert limits.watchdog.max_age == 300
    assert (config.decision.execute_above, config.decision.ask_from) == (0.90, 0.70)
    assert (config.autonomy, config.autonomy_of("qrl")) == (Autonomy.L3, Autonomy.L3)
    assert (config.approval.expires_after, config.reconcile_every, qrl.good_after) == (900, 60, 900)
    assert (qrl.verify.timeout, qrl.verify.samples_in_a_row) == (600, 3)
    assert config.listen == "127.0.0.1:9195"


def test_paths_are_beside_the_file_and_urls_end_without_a_slash(tmp_path: Path) -> None:
    """Relative paths are meant from the file, and everything the agent writes is below its root."""
    path = tmp_path / "agent.yml"
    path.write_text(SMALLEST)
    config = load_config(path)
    assert config.root == tmp_path / "state"
    assert config.deployments["qrl"].target.releases.path == tmp_path / "srv"
    assert (config.prometheus.url, config.alertmanager.url) == ("http://127.0.0.1:9090", "http://[::1]:9093/alerts")
    for written in (config.logs, config.backups, config.commands, config.kill_switch):
        assert written.parent == config.root


@pytest.mark.parametrize(
    ("own", "of_all", "needed"),
    [
        ("", "", None),
        ("", "earned_autonomy: {enabled: true}", (0.90, 20)),
        ("earned_autonomy: {enabled: false}, ", "earned_autonomy: {enabled: true}", None),
        ("earned_autonomy: {enabled: true, approved: 30}, ", "earned_autonomy: {precision: 0.95}", (0.95, 30)),
        ("", "autonomy: L4\nearned_autonomy: {enabled: true}", None),
        ("autonomy: L1, ", "earned_autonomy: {enabled: true}", None),
    ],
)
def test_what_a_branch_needs_to_earn_l4(
    tmp_path: Path, own: str, of_all: str, needed: tuple[float, int] | None
) -> None:
    """Off by default; what a deployment leaves out is the file's; only L3 can rise."""
    path = tmp_path / "agent.yml"
    path.write_text(SMALLEST.replace("qrl: {", f"qrl: {{{own}") + of_all + "\n")
    found = load_config(path).earned_autonomy_of("qrl")
    assert (found and (found.precision, found.approved)) == needed


def test_a_deployment_may_have_its_own_autonomy(tmp_path: Path) -> None:
    """The autonomy of a deployment wins over that of the file."""
    path = tmp_path / "agent.yml"
    path.write_text(SMALLEST.replace("qrl: {", "qrl: {autonomy: L1, ") + "autonomy: L4\n")
    config = load_config(path)
    assert (config.autonomy, config.autonomy_of("qrl")) == (Autonomy.L4, Autonomy.L1)
