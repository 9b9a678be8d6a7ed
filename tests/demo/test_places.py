"""Ports come from the environment, and a taken one is named."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from demo.places import PortError, Ports


def test_the_environment_changes_single_ports() -> None:
    """What it does not name stays as usual."""
    ports = Ports.from_environment({"DEMO_FLASK_PORT": "5001", "DEMO_GRADIO_PORT": "", "FLASK_PORT": "1"})
    assert ports == replace(Ports(), flask=5001)


def test_a_taken_port_is_named_with_what_to_do() -> None:
    """The sentence holds the port, whose it is, how to see who has it, and how to choose another."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        with pytest.raises(PortError, match=rf"port {taken} .*for alertmanager.*DEMO_ALERTMANAGER_PORT"):
            replace(Ports.free(), alertmanager=taken).check_free()


@pytest.mark.parametrize("value", ["http", "-1", "0", "65536", "80.0"])
def test_what_is_no_port_is_refused(value: str) -> None:
    """The sentence names the variable and its value."""
    with pytest.raises(PortError, match=f"DEMO_FLASK_PORT='{value}' is no port"):
        Ports.from_environment({"DEMO_FLASK_PORT": value})


def test_free_ports_pass() -> None:
    """Seven different ports that nobody has are no error."""
    Ports.free().check_free()
