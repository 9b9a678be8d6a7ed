"""Users of the web page, for a stand, and how one of them signs in with a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bcrypt
import yaml
from playwright.sync_api import BrowserContext, Page

PASSWORD = "correct horse battery staple"


def web_section(directory: Path, **roles: str) -> dict[str, Any]:
    """The section `web` of a configuration whose users have these roles, and all the same password."""
    hash_ = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    file = directory / "web.yml"
    file.write_text(yaml.safe_dump({"basic_auth_users": dict.fromkeys(roles, hash_)}))
    file.chmod(0o600)
    return {"config_file": str(file), "roles": roles}


def sign_in(context: BrowserContext, url: str, name: str, password: str = PASSWORD) -> Page:
    """A tab in which somebody has filled in the form, on the way to `url`."""
    tab = context.new_page()
    tab.goto(url)
    tab.get_by_label("Name").fill(name)
    tab.get_by_label("Password").fill(password)
    with tab.expect_navigation():
        tab.get_by_role("button", name="Sign in").click()
    return tab
