"""The chart of a run is an image of its own, for whoever may look, and no other file is ever sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from receiver.journal import tables
from receiver.web.reports import CHART_POLICY
from tests.receiver.agent import Agent
from tests.receiver.web.served import served


def test_the_chart_stands_on_the_page(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """As an image that may run nothing, and only for who has signed in."""
    with served(make_agent(), tmp_path) as page:
        page.agent.go()
        incident, run = page.incident(), page.agent.run()["id"]
        path = f"/incidents/{incident}/runs/{run}/chart.svg"
        visitor = page.visitor("carol")
        assert f'src="{path}"' in visitor.get(f"/incidents/{incident}").text

        answer = visitor.get(path)

        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
        assert answer.headers["Content-Security-Policy"] == CHART_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.text.startswith("<svg ")
        assert page.visitor().get(path).status_code == 303


def test_what_is_no_chart_is_not_found(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Another incident's run, an unknown one, a chart that is gone, and a path outside the reports' directory."""
    with served(make_agent(), tmp_path) as page:
        page.agent.go()
        incident, run = page.incident(), page.agent.run()
        visitor = page.visitor("carol")
        for path in (
            "/incidents/none/runs/none",
            f"/incidents/{incident}/runs/none",
            f"/incidents/none/runs/{run['id']}",
        ):
            assert visitor.get(f"{path}/chart.svg").status_code == 404
        (tmp_path / "secret.svg").write_text("nobody may read this")
        with page.agent.database.write() as tx:
            tx.execute(tables.run.update().values(report=str(tmp_path / "secret.md")))
        assert visitor.get(f"/incidents/{incident}/runs/{run['id']}/chart.svg").status_code == 404
        assert "chart.svg" not in visitor.get(f"/incidents/{incident}").text
