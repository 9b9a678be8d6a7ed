"""The labelled corpus is the same each time, has both answers in it, and has gaps where nothing was scraped."""

from __future__ import annotations

import io

import numpy as np

from tests.corpus.history import BEGAN, STEP, draw, write_openmetrics
from tests.corpus.shapes import SHAPES, STEPS


def written(number: int, each: int = 1) -> str:
    """The exposition of one of the drawn incidents."""
    text = io.StringIO()
    write_openmetrics([draw(each)[number]], text)
    return text.getvalue()


def test_the_same_is_drawn_each_time() -> None:
    """Figures can be compared: the same seed draws the same, another seed and another number something else."""
    assert written(0) == written(0)
    assert written(0, each=2) != written(1, each=2)
    first, other = (draw(1, seed)[4].behaviour.errors for seed in (1, 2))
    assert any(not np.array_equal(first[one], other[one]) for one in first)


def test_both_answers_are_in_it() -> None:
    """As many kinds whose remedy is a rollback as kinds whose is not, each with what a person would say of it."""
    wanted = [one for one in SHAPES if one.rollback]
    assert len(wanted) * 2 == len(SHAPES)
    assert len({one.why for one in SHAPES}) == len(SHAPES)


def test_gaps_are_gaps() -> None:
    """A step that was not scraped has no sample of any series, all others have one of each."""
    (gaps,) = (one for one in draw(1) if one.shape.name == "scrape_gaps")
    text = io.StringIO()
    write_openmetrics([gaps], text)
    moments = [int(line.rsplit(" ", 1)[1]) for line in text.getvalue().splitlines() if not line.startswith("#")]
    found = {(moment - BEGAN) // STEP for moment in moments}
    assert found == set(np.flatnonzero(gaps.behaviour.seen).tolist())
    assert len(found) < STEPS
