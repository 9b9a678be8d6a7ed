"""Who gets in, for how long, and what the cookie is worth."""

from __future__ import annotations

import re

import bcrypt
import pytest
import yaml

from receiver.throttle import LIMIT
from receiver.web.visitor import FRESH_FOR
from tests.receiver.journal.rows import contents
from tests.receiver.web.served import PASSWORD, Page, plain

COOKIE = "rollback-agent"


def test_who_has_not_signed_in_is_asked_to_and_comes_back(page: Page, incident: str) -> None:
    """A page without a session leads to the form, and from there back to where one wanted to go."""
    visitor = page.visitor()

    answer = visitor.get(f"/incidents/{incident}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next=/incidents/{incident}")
    signed_in = visitor.sign_in("carol", back=f"/incidents/{incident}")

    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, f"/incidents/{incident}")
    assert "carol, viewer" in visitor.text(f"/incidents/{incident}")


@pytest.mark.parametrize("name", ["alice", "mallory", ""])
def test_a_wrong_password_gets_nobody_in(page: Page, name: str) -> None:
    """A user and somebody unknown are told the same, and no session begins."""
    visitor = page.visitor()

    answer = visitor.sign_in(name, "wrong")

    assert answer.status_code == 401
    assert "The name or the password is wrong." in plain(answer.text)
    assert visitor.get("/").status_code == 303
    assert contents(page.agent.database)["session"] == []


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/login", "javascript:1"]
)
def test_nobody_is_sent_elsewhere(page: Page, elsewhere: str) -> None:
    """Where to go after signing in is one of our pages, whatever the link said."""
    assert page.visitor().sign_in("alice", back=elsewhere).headers["Location"] == "/"


def test_the_cookie_is_for_this_page_only(page: Page) -> None:
    """No script reads it, no other site makes a browser send it."""
    cookie = page.visitor().sign_in("alice").headers["Set-Cookie"]
    assert re.match(rf"{COOKIE}=[^;]+; ", cookie)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_over_https_the_cookie_belongs_to_this_host_alone(page: Page) -> None:
    """With an external address of https:// it is Secure, under a name that browsers take from this host only."""
    page.web["external_url"] = "https://rollback.example"
    visitor = page.visitor()
    answer = visitor.get("/login")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


def test_a_session_has_another_secret_than_the_form_before_it(page: Page) -> None:
    """What an attacker planted before signing in is worth nothing afterwards."""
    visitor = page.visitor()
    before = visitor.token("/login")
    visitor.sign_in("alice")
    assert visitor.post("/logout", {"csrf_token": before}).status_code == 403


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(page: Page) -> None:
    """Signing out ends the session on the agent, not only in the browser."""
    visitor, thief = page.visitor("alice"), page.visitor()
    thief.browser.cookies.update(visitor.browser.cookies)
    assert thief.get("/").status_code == 200

    assert visitor.submit("/", "/logout").status_code == 303

    assert [one.get("/").status_code for one in (visitor, thief)] == [303, 303]
    assert contents(page.agent.database)["session"] == []


def test_a_session_ends_with_its_lifetime(page: Page) -> None:
    """After web.session_lifetime the person signs in again."""
    page.web["session_lifetime"] = "1h"
    visitor = page.visitor("alice")
    page.agent.clock.advance(3590)
    assert visitor.get("/").status_code == 200
    page.agent.clock.advance(20)
    assert visitor.get("/").status_code == 303


def test_who_has_lost_the_role_is_out_at_once(page: Page) -> None:
    """Roles are asked with every request, so that a session does not outlive its person."""
    visitor = page.visitor("alice")
    page.roles["alice"] = "viewer"
    assert "alice, viewer" in visitor.text("/")
    del page.roles["alice"]
    assert visitor.get("/").status_code == 303


def test_another_password_ends_the_sessions_of_the_one_before(page: Page) -> None:
    """Who changes a password because somebody else had it is alone afterwards."""
    alice, bob = page.visitor("alice"), page.visitor("bob")
    users = yaml.safe_load(page.users.read_text())
    users["basic_auth_users"]["alice"] = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
    page.users.write_text(yaml.safe_dump(users))

    assert [one.get("/").status_code for one in (alice, bob)] == [303, 200]
    assert alice.sign_in("alice", "another").status_code == 303
    assert alice.get("/").status_code == 200


def test_who_guesses_is_held_up_with_a_sentence(page: Page) -> None:
    """After too many wrong passwords the form says when to come again, and does not even look at the next one."""
    page.access = page.new_access()
    visitor = page.visitor()
    for _ in range(LIMIT):
        assert visitor.sign_in("alice", "wrong").status_code == 401
    answer = visitor.sign_in("alice")
    assert answer.status_code == 429
    assert "too many" in plain(answer.text)


def test_a_made_up_cookie_is_no_session(page: Page) -> None:
    """Neither a secret that nobody gave out nor a cookie with another signature lets anybody in."""
    visitor = page.visitor()
    for value in ("x", "eyJzZWNyZXQiOiJ4In0.aSgLQg.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "."):
        visitor.browser.cookies.set(COOKIE, value)
        assert visitor.get("/").status_code == 303


def test_the_journal_holds_nothing_that_lets_anybody_in(page: Page) -> None:
    """Who can read the journal finds the hash of the secret there, not the secret."""
    page.visitor("alice")
    ((id_, person, *_),) = contents(page.agent.database)["session"]
    assert (len(str(id_)), person) == (64, "alice")


def test_without_users_the_page_says_how_to_have_some(page: Page) -> None:
    """One screen names the file, the command for a hash and the keys, whatever page was asked for."""
    page.web = {}
    for path in ("/", "/login", "/incidents/x"):
        answer = page.visitor().get(path)
        assert answer.status_code == 503
        for part in ("htpasswd -nBC 10 alice", "basic_auth_users", "config_file: web.yml", "roles: {alice: operator}"):
            assert part in plain(answer.text)
    assert page.visitor().get("/static/page.css").status_code == 200


def test_an_old_session_needs_the_password_to_approve(page: Page, incident: str) -> None:
    """A phone that lies about signed in approves nothing, but denies and answers."""
    visitor, path = page.visitor("alice"), f"/incidents/{incident}"
    assert 'type="password"' not in visitor.get(path).text
    plan = page.agent.run()["plan"]["hash"]
    page.agent.clock.advance(-FRESH_FOR - 60)  # as if signed in that long ago; the approval does not expire meanwhile

    assert 'type="password"' in visitor.get(path).text
    for password in ("", "wrong"):
        fields = {"csrf_token": visitor.token(path), "plan": plan, "password": password}
        assert visitor.post(f"{path}/approve", fields).status_code == 303
        assert "Nothing was done" in visitor.text(path)
        assert page.agent.run()["approval"]["state"] == "pending"
    visitor.post(f"{path}/approve", {"csrf_token": visitor.token(path), "plan": plan, "password": PASSWORD})
    assert page.agent.run()["approval"]["state"] == "approved"
