"""The FastAPI service: nodes of the lattice, log-in, and the self tests of log-in and database."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

from qrl import accounts
from qrl.revision import REVISION
from qrl.storage import database

app = FastAPI(title="Quantum Resonance Lattice")


class Credentials(BaseModel):
    """What a person types to log in."""

    name: str
    password: str


@app.get("/")
def home() -> dict[str, str]:
    """Say that the service is up; asks nothing else, so that it tells about this service alone."""
    return {"service": "fastapi", "revision": REVISION}


@app.get("/nodes/{number}")
def node(number: int, x_user: Annotated[str, Header()]) -> dict[str, object]:
    """One node as this user sees it."""
    with database() as connection:
        row = connection.execute("SELECT * FROM nodes WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise HTTPException(404, f"no node {number}")
    return {"name": row["name"], "frequency_hz": row["frequency_hz"], "seen_by": x_user}


@app.post("/login")
def login(credentials: Credentials) -> dict[str, str]:
    """Open a session."""
    with database() as connection:
        token = accounts.log_in(connection, credentials.name, credentials.password)
    if token is None:
        raise HTTPException(401, "name or password is wrong")
    return {"token": token}


@app.post("/self-test/login")
def self_test_login() -> dict[str, str]:
    """Log the test user in by password, ask whose session it is, and log out."""
    user = json.loads(Path(os.environ["QRL_SELF_TEST_USER"]).read_text())
    with database() as connection:
        token = accounts.log_in(connection, user["name"], user["password"])
        if token is None or accounts.who(connection, token) != user["name"]:
            raise HTTPException(503, "the test user cannot log in")
        accounts.log_out(connection, token)
    return {"login": "ok"}


@app.get("/self-test/database")
def self_test_database() -> dict[str, int]:
    """Read from the database; 503 when it cannot be read or is empty."""
    try:
        with database() as connection:
            nodes = int(connection.execute("SELECT count(*) FROM nodes").fetchone()[0])
    except sqlite3.Error as error:
        raise HTTPException(503, f"database: {error}") from error
    if nodes == 0:
        raise HTTPException(503, "database: no nodes")
    return {"nodes": nodes}
