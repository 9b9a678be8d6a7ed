"""The Gradio service: a page that tells how often two nodes beat against each other."""

from __future__ import annotations

import gradio as gr
from fastapi import FastAPI

from qrl.revision import REVISION
from qrl.storage import database


def names() -> list[str]:
    """All nodes, by name."""
    with database() as connection:
        return [str(row["name"]) for row in connection.execute("SELECT name FROM nodes ORDER BY name")]


def beat(first: str, second: str) -> str:
    """How often two nodes beat against each other."""
    with database() as connection:
        rows = connection.execute("SELECT frequency_hz FROM nodes WHERE name IN (?, ?)", (first, second)).fetchall()
    frequencies = [float(row["frequency_hz"]) for row in rows]
    return f"{max(frequencies) - min(frequencies):.1f} Hz"


with gr.Blocks(title="Quantum Resonance Lattice") as page:
    gr.Markdown("# Quantum Resonance Lattice")
    chosen = [gr.Dropdown(names(), label=label) for label in ("First node", "Second node")]
    answer = gr.Textbox(label="Beat")
    gr.Button("Compute").click(beat, chosen, answer)

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Say that the service is up; a page is heavy to render."""
    return {"service": "gradio", "revision": REVISION}


app = gr.mount_gradio_app(app, page, path="/")
