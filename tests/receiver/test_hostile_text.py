"""Whatever characters come from outside, and wherever: they stay text in all that the agent tells."""

from __future__ import annotations

import json
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from receiver.commands.terminal import plain, safe
from receiver.errors import TargetError
from receiver.journal import deployments, escalations, hotfixes, releases, views
from receiver.model import EscalationReason
from receiver.operators import Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.surroundings import branch
from tests.receiver.web.served import served

FRAGMENTS = st.sampled_from((
    "\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\r", "\n# Heading\n", "\n\n- [x] done\n", "\n---\n", "\u2028", "\u202e",
    "\x00", "\ud800", "`", "```", "|", "[click](http://evil.example)", "![x](http://evil.example/x)",
    "<http://evil.example>", "{{7*7}}", "{% raw %}", "${HOME}", "$(id)", "; id", "%s%n", "{0.__class__}",
    "<script>alert(1)</script>", "<img src=x>", "&lt;", "-->", "../../etc/passwd", "--upload-pack=id",
    '"}\n{"decision": "forged"}\n', "\\", "*b*", "~~g~~", "a" * 9000,
))  # fmt: skip
TEXTS = st.lists(st.one_of(FRAGMENTS, st.text(max_size=20)), min_size=1, max_size=6).map("".join)
MARKUP = {"html_block", "html_inline", "image", "em_open", "s_open", "hr", "fence", "blockquote_open"}


class Tags(HTMLParser):
    """The tags of a page, and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts, self.leads = 0, set[str]()
        self.foreign: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it."""
        self.scripts += tag == "script"
        self.leads |= {str(value) for name, value in attrs if name in ("href", "src", "action")}
        self.foreign += [tag] * (tag in ("iframe", "object"))
        self.foreign += [name for name, _ in attrs if name.startswith("on") or name == "style"]


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(text=TEXTS, told=TEXTS.map(lambda text: text.encode(errors="replace").decode()))  # Prometheus tells UTF-8
def test_text_from_outside_stays_text(text: str, told: str) -> None:
    """Alerts, labels, signals, errors, comments, releases and a command's output become no markup, line, or escape
    (T3, T6, T7, T14).
    """
    with tempfile.TemporaryDirectory() as directory:
        agent = Agent(Path(directory))
        agent.target.script = f'cat "{directory}/printed"; exit 3'
        Path(directory, "printed").write_bytes(text.encode(errors="surrogatepass") + b"\xff\xfe")
        agent.prometheus.firing = (branch(told, alert=told, service=told),)
        agent.prometheus.health = {told: (0.0,)}
        run = agent.go()
        assert (run["state"], run["result"]) == ("finished", "failed"), run["reason"]
        assert run["report"], run["steps"][-1]["summary"]
        _say_everywhere(agent, text)
        _check_report(Path(run["report"]).read_text(encoding="utf-8"))
        _check_trail(agent)
        _check_page(agent, Path(directory), text)
        agent.database.close()


@given(text=TEXTS)
def test_a_terminal_gets_no_control_character(text: str) -> None:
    """What is printed of a text is one line without escapes, and rich finds no markup in it (T14)."""
    for shown in (safe(text), plain(text)):
        assert shown.isprintable()


def _say_everywhere(agent: Agent, text: str) -> None:
    """People and pipelines write it wherever they can."""
    operators, ada = Operators(agent.database, agent.world.audit, agent.config), Person("ada", Via.API)
    storable = text.replace("\0", "?").encode(errors="replace").decode()
    operators.clear("qrl", ada, storable)
    with agent.database.write() as tx:
        now = agent.clock()
        escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, storable, now)
        deployments.latch(tx, "qrl", now, storable)
        hotfixes.start(tx, "qrl", now, 600, "ada", storable)
        releases.deploy_started(tx, "qrl", "next", now, commit=storable, author=storable)
    agent.target.error = TargetError(text)


def _check_report(report: str) -> None:
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [inner for token in renderer.parse(report) for inner in (token, *(token.children or ()))]
    markup = [token for token in tokens if token.type in MARKUP]
    assert not [token for token in markup if not re.fullmatch(r"incident-[\w-]+\.svg", str(token.attrs.get("src")))]
    headings = re.findall(r"^#+ .*$", report, flags=re.MULTILINE)
    assert len(headings) == sum(token.type == "heading_open" for token in tokens)
    assert all(re.fullmatch(r"#+ [A-Z][A-Za-z' ]+", heading) for heading in headings), headings
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert not [link for link in links if not link.startswith("http://127.0.0.1:")]
    assert all(line.isprintable() for line in report.split("\n"))


def _check_trail(agent: Agent) -> None:
    lines = (agent.config.logs / "audit-trail.jsonl").read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines[:-1]]
    assert lines[-1] == b""
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert "forged" not in {record["decision"] for record in records}
    assert all(line.isascii() and line.decode().isprintable() for line in lines)


def _check_page(agent: Agent, directory: Path, text: str) -> None:
    with agent.database.read() as tx:
        incident = views.incidents(tx)[0]["id"]
    with served(agent, directory) as page:
        visitor = page.visitor("alice")
        for path in ("/", f"/incidents/{incident}", "/deployments/qrl"):
            answer = visitor.get(path)
            assert answer.status_code == 200, path
            tags = Tags(answer.text)
            assert (tags.scripts, tags.foreign) == (1, []), path
            ours = ("/", "?", "#", "http://127.0.0.1:")
            assert not [lead for lead in tags.leads if lead and not lead.startswith(ours)], path
