"""The Flask service: payments, and their self test."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import Flask, Response, jsonify, request

from qrl import payments
from qrl.revision import REVISION
from qrl.storage import database

app = Flask(__name__)


@app.get("/health")
def health() -> Response:
    """Say that the service is up; asks nothing else, so that it tells about this service alone."""
    return jsonify(service="flask", revision=REVISION)


@app.get("/payments")
def payments_of_user() -> Response:
    """The payments of the user whom the proxy in front names in X-User."""
    user = request.headers["X-User"]
    with database() as connection:
        return jsonify(user=user, payments=payments.of_user(connection, user))


@app.post("/self-test/payment")
def self_test_payment() -> tuple[Response, int]:
    """Authorise one cent for the test user and void it."""
    user = json.loads(Path(os.environ["QRL_SELF_TEST_USER"]).read_text())["name"]
    with database() as connection:
        payment = payments.authorise(connection, user, cents=1)
    with database() as connection:
        voided = payments.void(connection, payment)
        payments.forget_voided(connection, user)
    return jsonify(payment=payment, voided=voided), 200 if voided else 503
