"""Takes the schemas beside this file out of the packages that publish them; see README.md for where those come from.

usage: python tests/schemas/take.py KUBERNETES_VALIDATE COMPOSE_GO PROMETHEUS_OPERATOR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
VERSION = "v1.30.0-local-strict"
KINDS = {
    "Deployment": "deployment-apps-v1",
    "NetworkPolicy": "networkpolicy-networking-v1",
    "PodDisruptionBudget": "poddisruptionbudget-policy-v1",
    "Role": "role-rbac-v1",
    "RoleBinding": "rolebinding-rbac-v1",
    "Service": "service-v1",
    "ServiceAccount": "serviceaccount-v1",
    "StatefulSet": "statefulset-apps-v1",
}
CUSTOM = {"PrometheusRule": "prometheusrules", "ServiceMonitor": "servicemonitors"}
_DEFINITIONS = "/api/_definitions.json"


def bare(schema: Any, key: str = "") -> Any:
    """The schema without what only a reader needs, its references into the same file."""
    if isinstance(schema, dict):
        # Below `properties` the keys are names, and one of them may be "description".
        kept = {
            name: bare(value, name) for name, value in schema.items() if key == "properties" or name != "description"
        }
        if isinstance(kept.get("$ref"), str):
            kept["$ref"] = kept["$ref"].removeprefix(_DEFINITIONS)
        return {name: value for name, value in kept.items() if not name.startswith("x-kubernetes-")}
    return [bare(one) for one in schema] if isinstance(schema, list) else schema


def references(schema: Any) -> Iterator[str]:
    """The names of all definitions that the schema refers to."""
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rsplit("/", 1)[1]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def kubernetes(directory: Path) -> dict[str, Any]:
    """The kinds that are used, with the definitions that they need."""
    files = directory / "kubernetes_validate" / "kubernetes-json-schema" / VERSION
    everything = bare(json.loads((files / "_definitions.json").read_text())["$defs"], "properties")
    kinds = {kind: bare(json.loads((files / f"{name}.json").read_text())) for kind, name in KINDS.items()}
    needed: set[str] = set()
    new = set(references(kinds))
    while new:
        needed |= new
        new = {name for one in new for name in references(everything[one])} - needed
    return {"kinds": kinds, "$defs": {name: everything[name] for name in sorted(needed)}}


def custom(directory: Path) -> dict[str, Any]:
    """The kinds of prometheus-operator, out of their CustomResourceDefinitions."""
    files = directory / "example" / "prometheus-operator-crd"
    found = {}
    for kind, plural in CUSTOM.items():
        definition = yaml.safe_load((files / f"monitoring.coreos.com_{plural}.yaml").read_text())
        (version,) = definition["spec"]["versions"]
        found[kind] = bare(version["schema"]["openAPIV3Schema"])
    return {"kinds": found}


def _write(name: str, schema: dict[str, Any]) -> None:
    (HERE / name).write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    _write("kubernetes.json", kubernetes(Path(sys.argv[1])))
    _write("compose.json", bare(json.loads((Path(sys.argv[2]) / "schema" / "compose-spec.json").read_text())))
    _write("prometheus-operator.json", custom(Path(sys.argv[3])))
