"""Answers every notification 202 and does nothing else, on the server of the receiver: `python -m bench.bare PORT`."""

from __future__ import annotations

import sys

from flask import Flask, Response, jsonify, request

from receiver.server import make_server


def bare_app() -> Flask:
    """A handler that reads the body and answers as the receiver does; neither checks nor stores anything."""
    app = Flask("bare")

    @app.post("/api/v1/alerts")
    def alerts() -> tuple[Response, int]:
        request.get_data(cache=False)
        return jsonify(status="accepted"), 202

    @app.get("/-/ready")
    def ready() -> str:
        return "ready\n"

    return app


if __name__ == "__main__":
    make_server(bare_app(), f"127.0.0.1:{sys.argv[1]}").start()
