"""The page as it is served, over an agent whose workflow is driven by hand, and somebody who uses it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bcrypt
import requests
import yaml
from prometheus_client.registry import CollectorRegistry

from receiver.announcements import Announcements
from receiver.app import Interface, RejectedCounts, create_app
from receiver.authentication import Access
from receiver.config import Config, Web
from receiver.journal import views
from receiver.operators import Operators
from receiver.reviewing import Reviewers
from receiver.server import make_server
from receiver.web.key import session_key
from receiver.web.site import Site
from receiver.web_config import load_web_config
from tests.receiver.agent import Agent

PASSWORD = "correct horse battery staple"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
TOKEN = "a-token-that-only-tests-use"
ROLES = {"alice": "operator", "bob": "operator", "carol": "viewer"}


class Page:
    """A served page; `agent` is what it shows, and `roles` who may do what."""

    def __init__(self, agent: Agent, directory: Path) -> None:
        self.agent = agent
        self.users = directory / "web.yml"
        self.roles = dict(ROLES)
        self.web: dict[str, Any] = {"config_file": str(self.users)}
        self.url = ""
        self.access: Access | None = None
        """Who may do what, where it must remember earlier requests; else it is made anew for each."""
        self.write_users(*ROLES)

    def write_users(self, *names: str) -> None:
        """The users' file, with the password of all."""
        self.users.write_text(yaml.safe_dump({"basic_auth_users": dict.fromkeys(names, HASH)}))
        self.users.chmod(0o600)

    @property
    def config(self) -> Config:
        """The agent's configuration with the users of this page."""
        tokens = {"script": {"file": str(self.users.with_name("script.token")), "role": "operator"}}
        web = Web.model_validate({**self.web, "roles": self.roles, "tokens": tokens})
        return self.agent.config.model_copy(update={"web": web})

    def in_force(self) -> Any:
        """What a reload would have built by now."""
        database, audit, config = self.agent.database, self.agent.world.audit, self.config
        return SimpleNamespace(
            config=config,
            worlds={"qrl": self.agent.world},
            operators=Operators(database, audit, config),
            reviewers=Reviewers(database, audit, config),
            announcements=Announcements(database, audit, ("qrl",)),
            access=self.access or self.new_access(),
        )

    def new_access(self) -> Access:
        """What the configuration and the users' file say at this moment."""
        return Access(self.config, load_web_config(self.config.web.config_file), time.monotonic)

    def incident(self) -> str:
        """The id of the newest incident."""
        with self.agent.database.read() as tx:
            return str(views.incidents(tx)[0]["id"])

    def visitor(self, name: str | None = None) -> Visitor:
        """Somebody with a browser; with a name they have signed in."""
        found = Visitor(self.url)
        if name is not None:
            answer = found.sign_in(name)
            assert answer.status_code == 303, answer.text
        return found


class Visitor:
    """A browser without JavaScript: it keeps cookies, fills in forms, and follows no redirect by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.browser = requests.Session()

    def get(self, path: str, **headers: str) -> requests.Response:
        """Look at a page."""
        return self.browser.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def text(self, path: str) -> str:
        """What a page says, in one line."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return plain(answer.text)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> requests.Response:
        """Send fields, as a form of this page would."""
        sent = {"Origin": self.url} | headers
        return self.browser.post(self.url + path, data=fields, headers=sent, timeout=30, allow_redirects=False)

    def token(self, path: str) -> str:
        """The CSRF token of the forms of a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def submit(self, page: str, form: str, /, **fields: str) -> requests.Response:
        """Send a form that stands on `page`."""
        assert f'action="{form}"' in self.get(page).text, f"{page} has no form for {form}"
        return self.post(form, {"csrf_token": self.token(page)} | fields)

    def after(self, page: str, form: str, /, **fields: str) -> str:
        """What the page says to which a form leads."""
        answer = self.submit(page, form, **fields)
        assert answer.status_code == 303, answer.text
        return self.text(answer.headers["Location"])

    def sign_in(self, name: str, password: str = PASSWORD, back: str = "/") -> requests.Response:
        """Fill in the form of the first page."""
        fields = {"csrf_token": self.token("/login"), "name": name, "password": password, "next": back}
        return self.post("/login", fields)


def plain(html: str) -> str:
    """The text of a page, in one line, as it would be read aloud."""
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
    return re.sub(r" ([,.:;])", r"\1", text)


@contextmanager
def served(agent: Agent, directory: Path) -> Iterator[Page]:
    """The page of an agent."""
    with ExitStack() as stack:
        page = Page(agent, directory)
        token = directory / "script.token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        interface = Interface(
            database=agent.database,
            registry=CollectorRegistry(),
            rejected=RejectedCounts(agent.database),
            notify=lambda: None,
            why_not_ready=lambda: None,
            announcements=lambda: page.in_force().announcements,
            access=lambda: page.in_force().access,
            operators=lambda: page.in_force().operators,
            reload=lambda: None,
            site=Site(agent.database, page.in_force, agent.world.serving_since, session_key(directory / "web.key")),
        )
        server = make_server(create_app(interface), "127.0.0.1:0")
        server.expiration_interval = 0.02  # how soon a stop is noticed
        server.prepare()
        page.url = f"http://127.0.0.1:{server.bind_addr[1]}"
        thread = threading.Thread(target=server.serve)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.stop)
        yield page
