"""A configuration file is read strictly: what is wrong is named with file, line and key, and nothing is guessed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field

from configfile import MAX_BYTES, Boolean, Command, ConfigError, FilePath, Integer, Number, Seconds, Section, load


class Probe(Section):
    """A section as a package would declare it."""

    timeout: Seconds = 5.0
    attempts: Integer = 3
    share: Number = 0.5
    verbose: Boolean = False


class Service(Section):
    """A section in a mapping, with a list of sections."""

    probes: tuple[Probe, ...] = ()
    limits: Probe | None = None


class Settings(Section):
    """The whole file of these tests."""

    name: str
    log_file: FilePath = Path("agent.log")
    restart: Command = ("/bin/true",)
    services: dict[str, Service] = Field(default={})


def fault(directory: Path, content: str | bytes) -> str:
    """What is said about a file with this content, without the file's path."""
    path = directory / "settings.yml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as refusal:
        load(path, Settings)
    return str(refusal.value).replace(f"{path}:", "").strip()


def test_a_good_file_is_read_into_frozen_sections(tmp_path: Path) -> None:
    """What the file gives is in the typed object, what it leaves out has its default."""
    path = tmp_path / "settings.yml"
    path.write_text("name: qrl\nservices:\n  web:\n    probes:\n      - timeout: 1m30s\n        verbose: true\n")
    settings = load(path, Settings)
    [probe] = settings.services["web"].probes
    assert (settings.name, settings.restart) == ("qrl", ("/bin/true",))
    assert (probe.timeout, probe.attempts, probe.verbose) == (90.0, 3, True)
    with pytest.raises(ValueError, match="frozen"):
        settings.name = "other"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name: x\nservces: {}\n", "2: servces: unknown key; did you mean 'services'?"),
        ("name: x\nzzz: 1\n", "2: zzz: unknown key; known here: name, log_file, restart, services"),
        (
            "name: x\nservices:\n  web:\n    probes:\n      - timeot: 1s\n",
            "5: services.web.probes.0.timeot: unknown key; did you mean 'timeout'?",
        ),
        (
            "name: x\nservices:\n  web:\n    limits:\n      atempts: 1\n",
            "5: services.web.limits.atempts: unknown key; did you mean 'attempts'?",
        ),
    ],
    ids=["near", "far", "in-a-list", "in-an-optional-section"],
)
def test_unknown_key_is_refused_with_a_suggestion(tmp_path: Path, content: str, expected: str) -> None:
    """A key that nobody reads is a fault, and the nearest known key is offered, at any depth (T10)."""
    assert fault(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name: x\nrestart: [/bin/true]\nname: y\n", "3: name: key given twice (first on line 1)"),
        (
            "name: x\nservices:\n  web: {}\n  api: {}\n  web: {}\n",
            "5: services.web: key given twice (first on line 3)",
        ),
        (
            "name: x\nservices:\n  web:\n    probes:\n      - attempts: 1\n        timeout: 1s\n        attempts: 2\n",
            "7: services.web.probes.0.attempts: key given twice (first on line 5)",
        ),
        ('{\n"name": "x",\n"name": "y"\n}\n', "3: name: key given twice (first on line 2)"),
        ("name: x\n'name': y\n", "2: name: key given twice (first on line 1)"),
    ],
    ids=["on-top", "nested", "in-a-list", "json", "quoted-and-plain"],
)
def test_doubled_key_is_refused_with_both_lines(tmp_path: Path, content: str, expected: str) -> None:
    """YAML and JSON readers keep the last of two values silently; here neither is taken (T10)."""
    assert fault(tmp_path, content) == expected


@pytest.mark.parametrize(
    "value", ["5", "22:30", "1.5m", "'5 m'", "''", "-5s", "5s3m", "no", "[]", "٣s", "9" * 400 + "s"]
)
def test_bad_duration_is_refused(tmp_path: Path, value: str) -> None:
    """A number without its unit, in the wrong order, in other digits or beyond all bounds is no duration."""
    text = fault(tmp_path, f"name: x\nservices:\n  web:\n    limits:\n      timeout: {value}\n")
    assert text.startswith("5: services.web.limits.timeout: ")
    assert text.endswith(" is not a duration; write a number with its unit, such as 500ms, 30s, 5m, 24h")


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("24h", 86400), ("1d2h3m4s5ms", 93784.005)]
)
def test_duration_is_read_as_prometheus_writes_it(tmp_path: Path, text: str, seconds: float) -> None:
    """Each unit and their combination, from the largest to the smallest."""
    path = tmp_path / "settings.yml"
    path.write_text(f"name: x\nservices: {{web: {{limits: {{timeout: {text}}}}}}}\n")
    limits = load(path, Settings).services["web"].limits
    assert limits is not None
    assert limits.timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("attempts: '3'", "attempts: Input should be a valid integer"),
        ("attempts: 3.0", "attempts: Input should be a valid integer"),
        ("attempts: yes", "attempts: Input should be a valid integer"),
        ("share: no", "share: Input should be a valid number"),
        ("share: '0.9'", "share: Input should be a valid number"),
        ("share: .nan", "share: Input should be a finite number"),
        ("verbose: 'no'", "verbose: must be true or false"),
        ("verbose: 0", "verbose: must be true or false"),
    ],
)
def test_wrong_type_is_refused_and_nothing_is_converted(tmp_path: Path, line: str, expected: str) -> None:
    """Text is no number, a number is no truth value, and YAML's `no` is not the number 0."""
    assert (
        fault(tmp_path, f"name: x\nservices:\n  web:\n    limits: {{{line}}}\n") == f"4: services.web.limits.{expected}"
    )


def test_missing_key_is_named_at_the_section_that_lacks_it(tmp_path: Path) -> None:
    """A required key that is not there is reported where it should stand."""
    assert fault(tmp_path, "\nrestart: [/bin/true]\n") == "1: name: is required and missing"


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Three mistakes are three lines, so that the file need not be tried three times."""
    text = fault(tmp_path, "restart: [true]\nlog_file: ''\nverbos: 1\n")
    assert text.splitlines() == [
        "1: name: is required and missing",
        "1: restart.0: Input should be a valid string",
        "2: log_file: '' is not a path",
        "3: verbos: unknown key; known here: name, log_file, restart, services",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name: &n x\nlog_file: *n\n", "2: not valid YAML: aliases are not supported"),
        ("name: x\nservices:\n\tweb: {}\n", "3: not valid YAML: found character '\\t' that cannot start any token"),
        ("name: x\nrestart: [/bin/true\n", "3: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("name: x\n---\nname: y\n", "2: not valid YAML: but found another document"),
        ("name: x\n<<: {name: y}\n", "2: not valid YAML: a key must be text, in quotes if need be"),
        ("name: x\nno: 1\n", "2: not valid YAML: a key must be text, in quotes if need be"),
        ("name: x\n{a: b}: 1\n", "2: not valid YAML: a key must be text, in quotes if need be"),
        ("name: x\nservices: {? [a] : 1}\n", "2: not valid YAML: a key must be text, in quotes if need be"),
        (
            "name: !!python/object/apply:os.system [id]\n",
            "1: not valid YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("name: 2026-13-45\n", "1: not valid YAML: cannot be read as timestamp; put it in quotes if it is text"),
        (
            "name: x\nlog_file: !!timestamp x\n",
            "2: not valid YAML: cannot be read as timestamp; put it in quotes if it is text",
        ),
        ("name: x\nlog_file: !!bool x\n", "2: not valid YAML: cannot be read as bool; put it in quotes if it is text"),
        ("name: x\nlog_file: !!int ''\n", "2: not valid YAML: cannot be read as int; put it in quotes if it is text"),
        ("- name\n", "1: the file holds no mapping of keys to values"),
        ("name\n", "1: the file holds no mapping of keys to values"),
        ("", "the file is empty"),
        ("# nothing but a comment\n", "the file is empty"),
        (b"name: \xff\n", "byte 6 is not UTF-8"),
    ],
)
def test_what_is_no_plain_yaml_mapping_is_refused(tmp_path: Path, content: str | bytes, expected: str) -> None:
    """Bad YAML, and the parts of YAML that hide what a file says, are faults with their line (T10)."""
    assert fault(tmp_path, content) == expected


def test_deep_nesting_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    """A file that is nested beyond reading is refused like any other bad file."""
    assert fault(tmp_path, "[" * 20000).startswith("not valid YAML: maximum recursion depth exceeded")


def test_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """A megabyte is no configuration; it is refused before it is parsed."""
    assert fault(tmp_path, b"#" * (MAX_BYTES + 1)) == "larger than 1048576 bytes; this is not a configuration file"


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is refused with its path and the system's reason, and so is a directory."""
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path / "absent.yml", Settings)
    assert str(refusal.value) == f"{tmp_path}/absent.yml: cannot be read: No such file or directory"
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, Settings)


def test_who_may_not_read_a_file_is_told_who_may(tmp_path: Path) -> None:
    """A refused permission is told with what to do about it."""
    file = tmp_path / "agent.yml"
    file.touch(mode=0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(ConfigError, match=r"Permission denied; run this as the user whose file it is, or as root$"):
            load(file, Settings)
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("indent", ["  ", "\t"], ids=["spaces", "tabs"])
def test_json_is_read_as_well(tmp_path: Path, indent: str) -> None:
    """A JSON file is accepted whatever it is indented with, and its faults have lines too."""
    path = tmp_path / "settings.json"
    path.write_text(f'{{\n{indent}"name":\t"a\\tb",\n{indent}"services": {{"web": {{}}}}\n}}\n')
    settings = load(path, Settings)
    assert (settings.name, set(settings.services)) == ("a\tb", {"web"})
    assert fault(tmp_path, f'{{\n{indent}"name": 5\n}}') == "2: name: Input should be a valid string"


def test_relative_paths_are_meant_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path does not depend on where the program was started; an absolute one and `~` are taken as such."""
    monkeypatch.chdir("/")
    path = tmp_path / "settings.yml"
    for written, expected in (
        ("logs/a.log", tmp_path / "logs/a.log"),
        ("/var/a.log", Path("/var/a.log")),
        ("~root/a.log", Path("~root/a.log").expanduser()),
    ):
        path.write_text(f"name: x\nlog_file: {written}\n")
        assert load(path, Settings).log_file == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("''", "'' is not a path"),
        (r'"a\0b"', r"'a\x00b' is not a path"),
        ("~nobody-of-that-name/x", "'~nobody-of-that-name/x' names a user who has no home directory"),
        ("7", "7 is not a path"),
    ],
)
def test_what_cannot_be_a_path_is_refused(tmp_path: Path, written: str, expected: str) -> None:
    """An empty path would be the directory itself, and some texts name no file at all."""
    assert fault(tmp_path, f"name: x\nlog_file: {written}\n") == f"2: log_file: {expected}"


@pytest.mark.parametrize("argv", ["[]", "[restart.sh]", "['']", "['bin/restart', x]"])
def test_command_must_begin_with_an_absolute_path(tmp_path: Path, argv: str) -> None:
    """What is run must not depend on PATH or on a working directory."""
    expected = "2: restart: a command is a list that begins with the absolute path of a program"
    assert fault(tmp_path, f"name: x\nrestart: {argv}\n") == expected


def test_command_is_no_shell_line(tmp_path: Path) -> None:
    """A command is a list; a line that a shell would have to take apart is refused (T3)."""
    assert fault(tmp_path, "name: x\nrestart: /bin/restart now\n") == "2: restart: must be a list, such as [one, two]"


@pytest.mark.parametrize("written", [r'"a\nb"', r'"a\e[31mb"', r'"a\L\ud800b"'])
def test_a_key_cannot_break_the_line_that_tells_of_it(tmp_path: Path, written: str) -> None:
    """A fault is one line of a terminal, whatever its key holds."""
    for text in (f"name: x\n{written}: 1\n", f"name: x\n{written}: 1\n{written}: 2\n"):
        assert fault(tmp_path, text).isprintable()
