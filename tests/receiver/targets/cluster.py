"""A stand-in for the API of a Kubernetes cluster: just what kubectl and helm ask of it, and it records what they do.

It answers discovery, reads and writes of a few kinds, and plays the controller of Deployments: a Deployment whose
template is that of one of its ReplicaSets takes that ReplicaSet, under a new revision number.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

REVISION = "deployment.kubernetes.io/revision"
ROLLED_OUT = "2026-11-20T12:00:00Z"
RESOURCES = {
    "/api/v1": ("v1", {"secrets": "Secret", "configmaps": "ConfigMap"}),
    "/apis/apps/v1": ("apps/v1", {"deployments": "Deployment", "replicasets": "ReplicaSet"}),
    "/apis/authorization.k8s.io/v1": (
        "authorization.k8s.io/v1",
        {"selfsubjectaccessreviews": "SelfSubjectAccessReview"},
    ),
}


class Cluster:
    """Objects by kind and name, of the one namespace `shop`."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {
            kind: {} for _, resources in RESOURCES.values() for kind in resources
        }
        self.writes: list[str] = []
        """Each request that changes something: its method and path."""
        self.allowed = True
        """Whether the user may do what it asks about."""
        self.status = 200
        """Another status is the answer to every question."""
        self._lock = threading.Lock()
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                # A review of access comes as protobuf, and what it asks about is the same in every test.
                body = json.loads(text) if text.startswith((b"{", b"[")) else None
                with cluster._lock:
                    status, answer = cluster._answer(self.command, self.path, body)
                told = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._serve)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig for it."""
        file = directory / "kubeconfig"
        one = {"name": "test", "cluster": {"server": self.url}}
        context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
        user = {"name": "test", "user": {}}
        content = {"clusters": [one], "contexts": [context], "users": [user], "current-context": "test"}
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config"} | content))
        return file

    # What is in it.

    def deploy(self, name: str, version: str, image: str | None = None) -> None:
        """Roll a version of a Deployment out."""
        template = {
            "metadata": {"labels": {"app": name, "app.kubernetes.io/version": version}},
            "spec": {"containers": [{"name": "main", "image": image or f"registry.example/{name}:{version}"}]},
        }
        deployment = self.objects["deployments"].setdefault(
            name,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {
                    "name": name,
                    "namespace": "shop",
                    "uid": f"uid-{name}",
                    "generation": 0,
                    "annotations": {},
                },
                "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}},
            },
        )
        deployment["spec"]["template"] = template
        self._roll_out(deployment)

    def revision(self, name: str) -> int:
        """At which revision a Deployment is."""
        return int(self.objects["deployments"][name]["metadata"]["annotations"][REVISION])

    def _roll_out(self, deployment: dict[str, Any]) -> None:
        """What the controller of Deployments does, at once."""
        name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
        sets = self.objects["replicasets"]
        mine = [one for one in sets.values() if one["metadata"]["labels"]["app"] == name]
        number = 1 + max((int(one["metadata"]["annotations"][REVISION]) for one in mine), default=0)
        labels = template["metadata"]["labels"]
        fitting = [one for one in mine if one["spec"]["template"]["spec"] == template["spec"]]
        replica_set = fitting[0] if fitting else self._new_set(deployment, number)
        replica_set["metadata"]["annotations"][REVISION] = str(number)
        sets[replica_set["metadata"]["name"]] = replica_set
        assert replica_set["metadata"]["labels"]["app.kubernetes.io/version"] == labels["app.kubernetes.io/version"]
        deployment["metadata"]["annotations"][REVISION] = str(number)
        deployment["metadata"]["generation"] += 1
        progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [progressing | {"lastUpdateTime": ROLLED_OUT, "lastTransitionTime": ROLLED_OUT}],
        }  # fmt: skip

    def _new_set(self, deployment: dict[str, Any], number: int) -> dict[str, Any]:
        name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
        labels = template["metadata"]["labels"] | {"pod-template-hash": f"6d4cf56{number}"}
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": f"uid-{name}", "controller": True}
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-6d4cf56{number}", "namespace": "shop", "uid": f"uid-{name}-{number}", "labels": labels,
                "annotations": {}, "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [owner],
            },
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
            },
        }  # fmt: skip

    def helm_release(self, name: str, number: int, status: str, description: str, app_version: str = "1.0") -> None:
        """Put a revision of a helm release into its secret, as helm does."""
        chart = {"metadata": {"name": name, "version": "0.1.0", "appVersion": app_version, "apiVersion": "v2"}}
        manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{version: '{app_version}'}}\n"
        at = f"2026-11-20T12:00:0{number % 10}.123456789Z"
        info = {"first_deployed": at, "last_deployed": at, "status": status, "description": description}
        release = {"name": name, "version": number, "namespace": "shop", "info": info, "chart": chart}
        packed = gzip.compress(json.dumps(release | {"manifest": manifest, "config": {}}).encode())
        labels = {"name": name, "owner": "helm", "status": status, "version": str(number)}
        key = f"sh.helm.release.v1.{name}.v{number}"
        self.objects["secrets"][key] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "helm.sh/release.v1",
            "metadata": {"name": key, "namespace": "shop", "labels": labels, "resourceVersion": "1"},
            "data": {"release": base64.b64encode(base64.b64encode(packed)).decode()},
        }
        self.objects["configmaps"][name] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "shop", "resourceVersion": "1"},
            "data": {"version": app_version},
        }

    # What it answers.

    def _answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        url = urlsplit(target)
        if self.status != 200:
            return self.status, _failure(self.status, "the cluster is not well")
        if method != "GET" and "selfsubject" not in url.path:
            self.writes.append(f"{method} {url.path}")
        if (found := self._discovery(url.path)) is not None:
            return 200, found
        if url.path.endswith("selfsubjectaccessreviews"):
            review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {}}
            return 201, review | {"status": {"allowed": self.allowed}}
        parts = url.path.removeprefix("/apis/apps/v1/namespaces/").removeprefix("/api/v1/namespaces/").split("/")
        if len(parts) < 2 or parts[0] != "shop" or parts[1] not in self.objects:
            return 404, _failure(404, f"there is no {url.path}")
        return self._object(method, parts[1], parts[2] if len(parts) > 2 else None, body, parse_qs(url.query))

    def _discovery(self, path: str) -> Any:
        if path == "/version":
            return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [version for version, _ in RESOURCES.values() if "/" in version]
            told = [
                {
                    "name": version.split("/")[0],
                    "versions": [{"groupVersion": version, "version": "v1"}],
                    "preferredVersion": {"groupVersion": version, "version": "v1"},
                }
                for version in groups
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": told}
        if path not in RESOURCES:
            return None
        version, resources = RESOURCES[path]
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        told = [
            {
                "name": name,
                "singularName": kind.lower(),
                "namespaced": "review" not in name,
                "kind": kind,
                "verbs": verbs,
            }
            for name, kind in resources.items()
        ]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": told}

    def _object(
        self, method: str, kind: str, name: str | None, body: Any, query: dict[str, list[str]]
    ) -> tuple[int, Any]:
        objects = self.objects[kind]
        if method == "POST":
            objects[body["metadata"]["name"]] = body
            return 201, body
        if name is None:
            return 200, self._listed(kind, query)
        if name not in objects:
            return 404, _failure(404, f'{kind} "{name}" not found')
        if method == "PUT":
            objects[name] = body
        elif method == "PATCH":
            for change in body if isinstance(body, list) else []:
                *path, last = change["path"].strip("/").split("/")
                place = objects[name]
                for part in path:
                    place = place[part]
                place[last] = change["value"]
            if kind == "deployments":
                self._roll_out(objects[name])
            elif isinstance(body, dict):
                objects[name]["data"] = objects[name].get("data", {}) | body.get("data", {})
        elif method == "DELETE":
            del objects[name]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return 200, objects[name]

    def _listed(self, kind: str, query: dict[str, list[str]]) -> Any:
        version, singular = next((v, kinds[kind]) for v, kinds in RESOURCES.values() if kind in kinds)
        found = list(self.objects[kind].values())
        for wanted in query.get("labelSelector", [""])[0].split(","):
            if "=" in wanted:
                label, _, value = wanted.partition("=")
                found = [one for one in found if one["metadata"].get("labels", {}).get(label) == value.lstrip("=")]
        for wanted in query.get("fieldSelector", [""])[0].split(","):
            if wanted.startswith("metadata.name="):
                found = [one for one in found if one["metadata"]["name"] == wanted.partition("=")[2]]
        return {"kind": f"{singular}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": found}


def _failure(status: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that has ended when the block ends."""
    one = Cluster()
    try:
        yield one
    finally:
        one.close()
