"""A project of docker compose whose images take their tag from one variable."""

from __future__ import annotations

import re
from collections import defaultdict

from receiver.config.targets import ClusterName, VariableName
from receiver.inspection.found import FittingTarget, Place, Setting, below, documents, fits

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_TAG = re.compile(r"([^$]+):\$(?:\{(\w+)(?::?[-+?][^}]*)?\}|(\w+))")
_FILL_IN = "let the images take their tag from one variable, as `image: name:${RELEASE}`, and name both here"


def compose(place: Place) -> FittingTarget | None:
    """Where a compose file lies in the directory; the variable that most images take their tag from is the release."""
    file = next((place.directory / name for name in NAMES if (place.directory / name).is_file()), None)
    if file is None:
        return None
    services = below(next(iter(documents(file)), None), "services")
    images = defaultdict[str, set[str]](set)
    for service in services.values() if isinstance(services, dict) else ():
        tag = _TAG.fullmatch(str(below(service, "image")))
        if tag and fits(tag[1], ClusterName) and fits(tag[2] or tag[3], VariableName):
            images[tag[2] or tag[3]].add(tag[1])
    directory = Setting("directory", str(place.directory))
    if not images:
        because = f"{file.name} is there, but none of its images takes its tag from a variable"
        unknown = (Setting("variable", "RELEASE", to_do=_FILL_IN), Setting("images", ("fill-in",)))
        return FittingTarget("compose", because, (directory, *unknown))
    variable = max(sorted(images), key=lambda one: len(images[one]))
    because = f"{file.name} takes the tag of {', '.join(sorted(images[variable]))} from {variable}"
    settings = (directory, Setting("variable", variable), Setting("images", tuple(sorted(images[variable]))))
    return FittingTarget("compose", because, settings)
