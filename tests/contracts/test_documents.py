"""What the documents promise is what the code has: keys, metrics, commands, links, examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml
from prometheus_client.registry import CollectorRegistry
from pydantic import BaseModel

from exporters.names import ACCESS_LOG, HEALTH, SELF
from receiver.cli import COMMANDS
from receiver.config import Config, load_config
from receiver.journal.database import open_database
from receiver.journal.schema import migrate
from receiver.metrics import JournalCollector
from receiver.metrics_of_process import AuditCollector, ReloadCollector, RetentionCollector
from receiver.model import EscalationReason, Result

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("alert-rules/**/*.md"))
)


def section_in(annotation: object) -> type[BaseModel] | None:
    """The configuration section that a key's type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key below `model`, dotted; those of a deployment as the document's own table has them."""
    for name, field in model.model_fields.items():
        section = section_in(field.annotation)
        if prefix + name == "deployments":
            assert section is not None
            yield from keys_of(section)
        elif section is not None and section.model_fields:
            yield from keys_of(section, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_every_configuration_key_is_documented() -> None:
    """docs/configuration.md has a row for each key of the receiver, and no row for a key that is not there."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (REPOSITORY / "docs" / "configuration.md").read_text(), re.MULTILINE)
    files = {"state.db", "kill-switch", "audit.key"}
    assert set(rows) - files == set(keys_of(Config))


def test_every_metric_is_documented(tmp_path: Path) -> None:
    """docs/metrics.md has a row for each metric of the receiver, and no row for one that is not there."""
    database = open_database(tmp_path)
    migrate(database)
    registry = CollectorRegistry()
    registry.register(JournalCollector(database, {}, lambda: None, lambda: None))
    registry.register(AuditCollector(lambda: None))
    registry.register(RetentionCollector(SimpleNamespace(failures={}, succeeded_at=None)))
    registry.register(ReloadCollector(SimpleNamespace(was_reloaded_well=True, reloaded_at=0.0)))
    exposed = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    database.close()
    rows = re.findall(r"^\| `([a-z_]+)` \|", (REPOSITORY / "docs" / "metrics.md").read_text(), re.MULTILINE)
    assert set(rows) == exposed


def test_every_metric_in_the_rules_is_exposed() -> None:
    """Each metric that the signals are recorded from is one of the exporter's or the receiver's."""
    rules = yaml.safe_load((REPOSITORY / "alert-rules" / "signals.rules.yml").read_text())
    expressions = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    named = set(re.findall(r"\b(?:healthcheck|access_log|release)_[a-z_]+", expressions))
    exporters = {metric.name for metric in (*HEALTH, *ACCESS_LOG, *SELF)}
    documented = (REPOSITORY / "docs" / "metrics.md").read_text()
    for name in named:
        base = re.sub(r"_(sum|count|bucket)$", "", name)
        assert base in exporters or f"| `{base}` |" in documented, name


def test_every_result_is_explained() -> None:
    """The on-call page and the metrics page name every result that a run can have."""
    for document in ("on-call.md", "metrics.md"):
        text = (REPOSITORY / "docs" / document).read_text()
        assert [result for result in Result if f"`{result}`" not in text] == []


def test_every_escalation_reason_can_happen() -> None:
    """Each reason stands somewhere in the code that raises it."""
    tell_of_all = ("needs_human.py", "next_steps.py")
    code = "\n".join(
        path.read_text() for path in (REPOSITORY / "receiver").rglob("*.py") if path.name not in tell_of_all
    )
    assert [reason for reason in EscalationReason if f"EscalationReason.{reason.name}" not in code] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_and_commands_exist(document: Path) -> None:
    """A relative link leads to a file, and each `rollback-agent COMMAND` is a command."""
    text = document.read_text()
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (document.parent / link).exists(), link
    for command in re.findall(r"rollback-agent ([a-z][a-z-]+)\b", re.sub(r"`rollback-agent`", "", text)):
        still_to_come = {"hotfix", "tree"}
        words = {"exporter", "health", *COMMANDS} | still_to_come
        assert command in words or not re.search(rf"`(?:[^`]*/)?rollback-agent {command}", text), command


def test_the_architecture_names_every_package() -> None:
    """So that who looks for something finds where it is."""
    text = (REPOSITORY / "docs/architecture.md").read_text()
    packages = {file.parent.name for file in (REPOSITORY / "receiver").rglob("__init__.py")} - {"receiver"}
    assert {name for name in packages if not re.search(rf"`(receiver/)?{name}/`", text)} == set()


def test_the_readme_is_short_and_its_configuration_works(tmp_path: Path) -> None:
    """README.md stays within 150 lines, and its example is a good configuration."""
    text = (REPOSITORY / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "rollback-config.yml"
    path.write_text(re.sub(r"^   ", "", example, flags=re.MULTILINE))
    assert load_config(path).autonomy_of("qrl") == "L3"
