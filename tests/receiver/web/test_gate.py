"""What a request must bring to change anything, and what every page says to the browser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask import Flask

from receiver.web.blueprint import add_web
from receiver.web.site import Site
from tests.receiver.journal.rows import contents
from tests.receiver.web.served import TOKEN, Page, plain

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def posts() -> list[str]:
    """The path of every form."""
    app = Flask("receiver", static_folder=None)
    add_web(app, Site(None, None, 0.0, b"k" * 32))  # type: ignore[arg-type]
    return sorted(rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()))


def filled_in(path: str, incident: str) -> str:
    """A path with real names in it."""
    names = {"<id_>": incident, "<name>": "qrl", "<release>": "r1", "<escalation>": "12345678"}
    for name, value in names.items():
        path = path.replace(name, value)
    return path


def test_a_thousand_looks_change_nothing(page: Page, incident: str) -> None:
    """Whatever fetches the page of an approval, a browser or a scanner of links, approves nothing and leaves no row
    (T17).
    """
    visitor = page.visitor("alice")
    cookies = visitor.browser.cookies.get_dict()
    before = contents(page.agent.database)
    paths = [f"/incidents/{incident}", f"/incidents/{incident}/approve", f"/incidents/{incident}/deny", "/kill-switch"]

    def look(number: int) -> int:
        method, path = ("GET", "HEAD")[number % 2], paths[number % 10 if number % 10 < len(paths) else 0]
        return requests.request(method, page.url + path, cookies=cookies, timeout=30, allow_redirects=False).status_code

    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(look, range(1000)))

    assert seen == {200, 405}
    assert requests.options(f"{page.url}/incidents/{incident}", cookies=cookies, timeout=30).status_code == 200
    assert contents(page.agent.database) == before


@pytest.mark.parametrize("path", posts())
def test_a_form_without_its_token_does_nothing(page: Page, incident: str, path: str) -> None:
    """A signed-in browser is not enough: another site's form, a missing or another session's token is refused (T17)."""
    visitor, other = page.visitor("alice"), page.visitor("bob")
    fields = {"plan": page.agent.run()["plan"]["hash"], "state": "on", "word": "done", "level": "L4", "action": "done"}
    good = {"csrf_token": visitor.token(f"/incidents/{incident}")}
    foreign = {"csrf_token": other.token(f"/incidents/{incident}")}
    before = contents(page.agent.database)
    path = filled_in(path, incident)

    answers = [
        visitor.post(path, fields),
        visitor.post(path, fields | {"csrf_token": "made up"}),
        visitor.post(path, fields | foreign),
        visitor.post(path, fields | good, Origin="https://evil.example"),
        visitor.post(path, fields | good, Origin="null"),
        requests.post(page.url + path, fields | good, cookies=visitor.browser.cookies.get_dict(), timeout=30),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert all("nothing was done" in plain(answer.text) for answer in answers)
    assert contents(page.agent.database) == before
    assert not page.agent.config.kill_switch.exists()


@pytest.mark.parametrize("path", [path for path in posts() if path not in ("/login", "/logout")])
def test_a_viewer_sees_but_does_not_act(page: Page, incident: str, path: str) -> None:
    """Every form of an operator is refused to a viewer, also one that the page did not show."""
    visitor = page.visitor("carol")
    fields = {"csrf_token": visitor.token("/"), "plan": page.agent.run()["plan"]["hash"], "state": "on"}
    before = contents(page.agent.database)

    answer = visitor.post(filled_in(path, incident), fields)

    assert answer.status_code == 403
    assert "carol is a viewer" in plain(answer.text)
    assert contents(page.agent.database) == before
    assert not page.agent.config.kill_switch.exists()


def test_who_has_signed_out_meanwhile_is_told_that_nothing_was_done(page: Page, incident: str) -> None:
    """A form that was left open beyond its session leads to the sign-in, which says so."""
    visitor = page.visitor("alice")
    del page.roles["alice"]
    fields = {"csrf_token": visitor.token("/login"), "plan": page.agent.run()["plan"]["hash"]}

    answer = visitor.post(f"/incidents/{incident}/approve", fields)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next=/incidents/{incident}")
    assert "Your sign-in has ended. Nothing was done." in visitor.text(answer.headers["Location"])
    assert page.agent.run()["approval"]["state"] == "pending"


def test_a_proxy_that_ends_tls_is_known_by_its_address(page: Page, incident: str) -> None:
    """With web.external_url a form may come from there too."""
    visitor = page.visitor("alice")
    fields = {"csrf_token": visitor.token("/"), "state": "on"}
    assert visitor.post("/kill-switch", fields, Origin="http://rollback.example").status_code == 403
    page.web["external_url"] = "http://rollback.example/"
    assert visitor.post("/kill-switch", fields, Origin="http://rollback.example").status_code == 303


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/deployments/nothing", "/logout"])
def test_every_page_tells_the_browser_what_it_may_do(page: Page, path: str) -> None:
    """No script but ours, no frame, no cache, no address given away, on pages that tell of an error too."""
    answer = page.visitor("alice").get(path, Accept="text/html")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert {"default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("unsafe" in part or "http" in part for part in policy)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_the_style_is_kept_by_the_browser_until_it_changes(page: Page) -> None:
    """What holds no secret is asked for with its tag, and not sent again."""
    visitor = page.visitor()
    first = visitor.get("/static/page.css")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    again = visitor.get("/static/page.css", **{"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_api_takes_no_cookie_and_no_form_token(page: Page, incident: str) -> None:
    """A session opens pages only; who posts with the API's own token needs no form."""
    visitor = page.visitor("alice")
    assert visitor.get("/api/v1/incidents").status_code == 401
    assert visitor.get("/api/v1/incidents", **BEARER).json()["incidents"][0]["id"] == incident
    answer = requests.post(f"{page.url}/-/reload", headers=BEARER, timeout=30)
    assert answer.status_code == 200


def test_errors_are_pages_for_people_and_json_for_programs(page: Page) -> None:
    """A browser gets a page at an address that is not there; everything below /api answers in JSON to everybody."""
    visitor = page.visitor()
    as_page = visitor.get("/nothing", Accept="text/html,*/*")
    assert (as_page.status_code, "There is no such page." in plain(as_page.text)) == (404, True)
    for path, accept in (("/nothing", "*/*"), ("/api/v1/nothing", "text/html,*/*")):
        answer = visitor.get(path, Accept=accept)
        assert answer.status_code == 404
        assert "there is nothing at" in answer.json()["error"]
