"""Imports point down only, so that each part can be read without what stands above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("receiver", "exporters", "demo", "grafana", "configfile")

LAYERS: tuple[tuple[str, ...], ...] = (
    ("receiver.cli",),
    ("receiver.interface",),
    ("receiver.commands",),
    ("receiver.workers",),
    ("receiver.wiring",),
    ("receiver.doctor", "receiver.drills"),
    ("receiver.server", "receiver.app", "receiver.inbox", "receiver.observe", "receiver.metrics", "receiver.report"),
    ("receiver.escalate", "receiver.intake", "receiver.gathering"),
    ("receiver.needs_human",),
    ("receiver.next_steps",),
    ("receiver.workflow", "receiver.pipeline", "receiver.api", "receiver.web"),
    ("receiver.restoring", "receiver.reviewing", "receiver.dry_run"),
    (
        "receiver.phases",
        "receiver.backup_by_hand",
        "receiver.announcements",
        "receiver.standing",
        "receiver.operators",
        "receiver.explain",
        "receiver.gate",
        "receiver.progress",
        "receiver.retention",
    ),
    (
        "receiver.diagnosis",
        "receiver.audit_retention",
        "receiver.target_check",
        "receiver.journal_watch",
        "receiver.turns",
    ),
    ("receiver.metrics_of_earned",),
    ("receiver.metrics_of_reviews", "receiver.earned"),
    ("receiver.learning",),
    ("receiver.autonomy", "receiver.kill_switch", "receiver.judgements", "receiver.backtest"),
    ("receiver.conclusion", "receiver.not_counted"),
    (
        "receiver.guardrails",
        "receiver.decision",
        "receiver.attribution",
        "receiver.signals",
        "receiver.metrics_of_process",
        "receiver.metrics_of_runs",
        "receiver.metrics_of_work",
        "receiver.links",
        "receiver.removed",
        "receiver.targets",
        "receiver.world",
        "receiver.backup",
        "receiver.run_once",
        "receiver.health",
        "receiver.error_lines",
        "receiver.command_output",
        "receiver.prometheus",
        "receiver.alertmanager",
        "receiver.transactions",
        "receiver.audit",
        "receiver.webhook",
        "receiver.web_check",
    ),
    ("receiver.run_once_wrapper", "receiver.tree"),
    ("receiver.journal", "receiver.rules"),
    ("receiver.bodies", "receiver.postgresql", "receiver.branch_labels"),
    ("receiver.authentication", "receiver.tls"),
    ("receiver.current", "receiver.audit_watch"),
    ("receiver.audit_chain",),
    ("receiver.inspection",),
    (
        "receiver.config",
        "receiver.log",
        "receiver.passwords",
        "receiver.audit_key",
        "receiver.audit_segments",
        "receiver.prometheus_api",
    ),
    ("receiver.web_config", "receiver.http_json", "receiver.secret"),
    (
        "receiver.identity",
        "receiver.throttle",
        "receiver.config_values",
        "receiver.log_settings",
        "receiver.repeats",
        "receiver.deadlines",
        "receiver.markdown",
        "receiver.program",
    ),
    ("receiver.audit_files", "receiver.replica"),
    ("receiver.model", "receiver.errors", "receiver.durations", "receiver.plural", "receiver.redact"),
    ("receiver.redaction",),
    ("receiver",),
    ("configfile",),
)
"""From the command line down to the words: a module imports what stands in a lower line, or of its own package."""

COMMAND_LINE = ("receiver.cli", "receiver.commands", "exporters.app", "exporters.health_command")
PROCESS_WIDE = {"sys.argv", "sys.exit", "os.environ", "os.getenv", "os._exit", "signal.signal", "signal.raise_signal"}
ADAPTERS = {
    "receiver.prometheus",
    "receiver.alertmanager",
    "receiver.rules.api",
    "receiver.targets.compose",
    "receiver.targets.helm",
    "receiver.targets.kubernetes",
    "receiver.targets.releases",
    "receiver.targets.script",
    "receiver.targets.systemd",
    "receiver.transactions.command",
    "receiver.transactions.postgresql",
    "receiver.transactions.sqlite",
}


def modules() -> dict[str, Path]:
    """Every module of the packages, by its dotted name."""
    files = [REPOSITORY / "configfile.py", *(file for one in PACKAGES for file in (REPOSITORY / one).rglob("*.py"))]
    return {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): file for file in files
    }


MODULES = modules()


def imports(module: str) -> set[str]:
    """The project's modules that `module` imports anywhere in its text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively, which hides the direction"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else str(node.module) for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in PACKAGES}


def is_below(module: str, part: str) -> bool:
    """Whether `module` is `part` or stands in that package."""
    return module == part or module.startswith(f"{part}.")


def place(module: str) -> tuple[int, str]:
    """The layer of `module` and the part of the layer to which it belongs: the longest that fits."""
    fitting = [(depth, part) for depth, layer in enumerate(LAYERS) for part in layer if is_below(module, part)]
    return max(fitting, key=lambda one: len(one[1]))


def process_wide_uses(tree: ast.Module) -> Iterator[str]:
    """What a module's text uses of the process as a whole, outside of `if __name__ == "__main__"`."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in PROCESS_WIDE:
                yield ast.unparse(node)
            elif isinstance(node, ast.Name) and node.id == "SystemExit":
                yield "SystemExit"


@pytest.mark.parametrize("module", sorted(name for name in MODULES if is_below(name, "receiver")))
def test_receiver_imports_point_down(module: str) -> None:
    """A module of the receiver imports from lower layers or from its own package, and from nothing else of ours."""
    depth, part = place(module)
    for imported in imports(module):
        assert not is_below(imported, "exporters"), f"{module} imports {imported}; their contract is metric names"
        assert not is_below(imported, "demo"), f"{module} imports {imported}; the demonstration stands on top"
        assert not is_below(imported, "grafana"), f"{module} imports {imported}; dashboards are made from what is there"
        below, other = place(imported)
        assert below > depth or (part, depth) == (other, below), f"{module} imports {imported}, which is not below it"


def test_every_module_of_the_receiver_has_a_layer() -> None:
    """A new module is placed on purpose: only the package's own `__init__` is of the layer `receiver`."""
    unplaced = [name for name in MODULES if is_below(name, "receiver") and place(name)[1] == "receiver"]
    assert unplaced == ["receiver"]
    gone = [part for layer in LAYERS for part in layer if part not in MODULES]
    assert gone == []


@pytest.mark.parametrize("module", sorted(name for name in MODULES if is_below(name, "exporters")))
def test_exporters_stand_alone(module: str) -> None:
    """The exporters import themselves and the reader of configuration files, and nothing else of ours."""
    foreign = {name for name in imports(module) if not is_below(name, "exporters")}
    assert foreign <= {"configfile"}


@pytest.mark.parametrize("module", sorted(name for name in MODULES if is_below(name, "grafana")))
def test_dashboards_read_the_tree_and_the_words(module: str) -> None:
    """The dashboards take from the receiver how a rule is read and what words there are, and nothing that runs."""
    foreign = {name for name in imports(module) if not is_below(name, "grafana")}
    assert all(any(is_below(name, part) for part in ("receiver.tree", "receiver.model")) for name in foreign), foreign


def test_reader_of_configuration_knows_nobody() -> None:
    """What both packages share imports neither."""
    assert imports("configfile") == set()


def test_no_module_imports_itself_through_others() -> None:
    """Within a package too, imports have a direction."""
    order = list(TopologicalSorter({module: imports(module) for module in MODULES}).static_order())
    assert set(MODULES) <= set(order)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_command_line_touches_the_process(module: str) -> None:
    """Arguments, environment, signals and exit codes belong to the command line and to what runs as a program."""
    if is_below(module, "demo") or any(is_below(module, part) for part in COMMAND_LINE):
        return
    assert list(process_wide_uses(ast.parse(MODULES[module].read_text()))) == []


def test_only_the_composition_root_names_adapters() -> None:
    """Everything else gets its Prometheus and its target handed in, and asks them through its own protocol."""
    naming = {module for module in MODULES if is_below(module, "receiver") and imports(module) & ADAPTERS}
    assert naming == {"receiver.wiring"}
