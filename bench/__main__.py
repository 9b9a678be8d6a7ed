"""Runs the benches that are named, or all: `python -m bench [NAME ...]`."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module

import bench


def benches() -> dict[str, Callable[[], None]]:
    """Each module of this package that has a function `run`, by its name; the others serve them."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"]
    modules = {name: import_module(f"bench.{name}") for name in sorted(names)}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def main(names: list[str]) -> int:
    """Run them one after the other; returns the exit code."""
    known = benches()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no bench {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"\n{name}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        known[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
