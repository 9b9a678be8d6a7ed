"""Writes access logs in which hardly a line is like another, as those of a busy service."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SEED = 1
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1",
    "python-requests/2.32.3",
    "kube-probe/1.29",
    "curl/8.5.0",
)
_METHODS = ("GET",) * 80 + ("POST",) * 12 + ("PUT",) * 3 + ("DELETE",) * 2 + ("HEAD",) * 2 + ("OPTIONS",)
_CODES = ("200",) * 80 + ("304",) * 6 + ("302",) * 3 + ("404",) * 4 + ("201", "401", "403", "499", "500", "502", "503")


@dataclass(frozen=True, slots=True)
class Fields:
    """What a line is made of."""

    address: str
    user: str
    time: str
    request: str
    method: str
    code: str
    size: int
    seconds: float
    referrer: str
    agent: str


def _combined(f: Fields) -> str:
    return f'{f.address} - {f.user} [{f.time}] "{f.request}" {f.code} {f.size} "{f.referrer}" "{f.agent}"\n'


def _gunicorn(f: Fields) -> str:
    line = f'{f.address} - - [{f.time}] "{f.request}" {f.code} {f.size} "{f.referrer}" "{f.agent}"'
    return f'{line} "{f.user}" {f.seconds * 1e6:.0f}\n'


def _nginx_json(f: Fields) -> str:
    line = f'"status":"{f.code}","request_method":"{f.method}","request_time":"{f.seconds:.3f}",'
    return f'{{{line}"remote_user":"{f.user}","remote_addr":"{f.address}"}}\n'


FORMATS: dict[str, Callable[[Fields], str]] = {
    "combined": _combined,
    "gunicorn": _gunicorn,
    "nginx_json": _nginx_json,
}
"""How a line is written in each format, those of gunicorn and nginx as docs/exporter.md has them configured."""
DURATIONS_IN = frozenset({"gunicorn", "nginx_json"})
"""Formats whose lines hold a response time."""


def write_log(log_format: str, lines: int, path: Path) -> None:
    """Write a log; the same arguments give the same lines."""
    chance = random.Random(SEED)
    line_of = FORMATS[log_format]
    with path.open("w") as log:
        log.writelines(line_of(_fields(chance, number)) for number in range(lines))


def _fields(chance: random.Random, number: int) -> Fields:
    second = number // 100  # a hundred requests a second
    method = chance.choice(_METHODS)
    return Fields(
        address=".".join(str(chance.randrange(1, 255)) for _ in range(4)),
        user=f"user-{chance.randrange(20_000)}",
        time=f"23/Nov/2026:{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02} +0000",
        request=f"{method} {_path(chance)} HTTP/1.1",
        method=method,
        code=chance.choice(_CODES),
        size=chance.randrange(50_000),
        seconds=chance.expovariate(20.0),
        referrer=chance.choice(("-", "https://qrl.example/", f"https://qrl.example/nodes?page={chance.randrange(99)}")),
        agent=chance.choice(_AGENTS),
    )


def _path(chance: random.Random) -> str:
    return chance.choice(
        (
            "/",
            f"/nodes/{chance.randrange(9_999)}",
            f"/static/app.{chance.randrange(99)}.js",
            f"/api/v1/payments/{chance.randrange(999_999)}?page={chance.randrange(50)}&sort=date",
        )
    )
