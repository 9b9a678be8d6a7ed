"""Reads one YAML or JSON configuration file strictly; every fault names file, line and key."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    ValidationError,
    ValidationInfo,
)

MAX_BYTES = 1 << 20

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?", re.ASCII)
_DURATION_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)

Location = tuple[Hashable, ...]
Model = TypeVar("Model", bound=BaseModel)


class ConfigError(Exception):
    """The configuration cannot be used; one line a fault, each `file:line: key: what is wrong`."""


def parse_duration(value: object) -> float:
    """Seconds of a duration as Prometheus writes it (`1h30m`, `500ms`); raises ValueError on anything else."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise ValueError(f"{value!r} is not a duration; write a number with its unit, such as 500ms, 30s, 5m, 24h")
    return sum(int(part) * unit for part, unit in zip(found.groups(), _DURATION_UNITS, strict=True) if part)


def printable(text: str) -> str:
    """`text` on one line, with escapes for what cannot be printed, such as a newline."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _path_text(value: object) -> object:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError(f"{value!r} is not a path")
    return value


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    base = info.context["directory"] if info.context else Path.cwd()
    try:
        return Path(base) / path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{str(path)!r} names a user who has no home directory") from error


def _absolute_program(argv: tuple[str, ...]) -> tuple[str, ...]:
    if not argv or not argv[0].startswith("/"):
        raise ValueError("a command is a list that begins with the absolute path of a program")
    return argv


Seconds = Annotated[float, BeforeValidator(parse_duration)]
"""A duration in the file (`5m`), seconds in the program."""
Integer = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
"""Strict, because YAML reads `no` and `off` as false, and false is 0 to anything less strict."""
Boolean = Annotated[bool, Strict()]
FilePath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_beside_the_file)]
"""A path; a relative one is meant from the directory of the configuration file."""
Command = Annotated[tuple[str, ...], AfterValidator(_absolute_program)]
"""Program and arguments, never a shell line; the program's path is absolute."""


class Section(BaseModel):
    """A mapping of the file; keys that it does not name are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def load(path: Path, model: type[Model]) -> Model:
    """Read `path` as `model`; raises ConfigError with every fault found, each with its line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        hint = "; run this as the user whose file it is, or as root" if isinstance(error, PermissionError) else ""
        raise ConfigError(f"{path}: cannot be read: {error.strerror}{hint}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes; this is not a configuration file")
    data, lines = _parse(path, raw)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: the file holds no mapping of keys to values")
    try:
        return model.model_validate(data, context={"directory": path.parent.absolute()})
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        described = sorted((_line(lines, fault["loc"]), printable(_describe(model, fault))) for fault in faults)
        raise ConfigError("\n".join(f"{path}:{line}: {text}" for line, text in described)) from None


class _StrictLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:  # of what does not hold what its tag says
            kind = node.tag.removeprefix("tag:yaml.org,2002:")
            problem = f"cannot be read as {kind}; put it in quotes if it is text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


def _parse(path: Path, raw: bytes) -> tuple[object, dict[Location, int]]:
    try:
        loader = _StrictLoader(_without_json_tabs(raw.decode()))
        try:
            node = loader.get_single_node()
            if node is None:
                raise ConfigError(f"{path}: the file is empty")
            lines: dict[Location, int] = {(): 1}
            for location, line, doubled in _walk(node, ()):
                if doubled:
                    key = printable(_dotted(location))
                    raise ConfigError(f"{path}:{line}: {key}: key given twice (first on line {lines[location]})")
                lines[location] = line
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {printable(str(error.problem))}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: not valid YAML: {printable(' '.join(str(error).split()))}") from error


def _without_json_tabs(text: str) -> str:
    """JSON may be indented with tabs, which YAML refuses; a JSON string cannot hold one, so no value changes."""
    try:
        json.loads(text)
    except ValueError:
        return text
    return text.replace("\t", " ")


def _walk(node: yaml.Node, at: Location) -> Iterator[tuple[Location, int, bool]]:
    """Every key and list item below `node`: its location, its line, and whether it was seen before."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise yaml.MarkedYAMLError(
                    problem="a key must be text, in quotes if need be", problem_mark=key.start_mark
                )
            location = (*at, key.value)
            yield location, key.start_mark.line + 1, key.value in seen
            seen.add(key.value)
            yield from _walk(value, location)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            location = (*at, index)
            yield location, item.start_mark.line + 1, False
            yield from _walk(item, location)


def _line(lines: dict[Location, int], location: Location) -> int:
    """The line of `location`, or of the nearest thing around it that stands in the file."""
    while location not in lines:
        location = location[:-1]
    return lines[location]


def _describe(model: type[BaseModel], fault: Any) -> str:
    match fault["type"]:
        case "extra_forbidden":
            text = "unknown key" + _suggestion(model, fault["loc"])
        case "missing":
            text = "is required and missing" + _keys_of(model, fault["loc"])
        case "tuple_type":
            text = "must be a list, such as [one, two]"
        case "bool_type":
            text = "must be true or false"
        case _:
            text = fault["msg"].removeprefix("Value error, ")
    return f"{_dotted(fault['loc'])}: {text}" if fault["loc"] else text


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)


def _suggestion(model: type[BaseModel], location: Location) -> str:
    """The nearest or all known keys at `location`, found by walking the models' annotations."""
    around = _section_at(model, location[:-1])
    if around is None:
        return ""
    close = difflib.get_close_matches(str(location[-1]), around.model_fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known here: {', '.join(around.model_fields)}"


def _keys_of(model: type[BaseModel], location: Location) -> str:
    """What can stand in a section that is missing."""
    around = _section_at(model, location[:-1])
    field = around.model_fields.get(str(location[-1])) if around else None
    missing = field.annotation if field else None
    if isinstance(missing, type) and issubclass(missing, BaseModel):  # and no mapping of names to sections
        return f"; known in it: {', '.join(missing.model_fields)}"
    return ""


def _section_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The section at `location`; names that a file chooses, as those of deployments, lead no further down."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is not None:
            found = _section_in(field.annotation)
            if found is None:
                return None
            model = found
    return model


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)
