"""Links lead to the configured Prometheus and nowhere else, whatever the names hold."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import promql_parser as promql
import pytest

from receiver import links

AT = 1_780_000_000.0


@pytest.mark.parametrize("service", ["flask", 'a"b', "a\\", "a\nb", "&g0.expr=up", "#", '",x="'])
def test_a_series_of_any_service_is_one_query(service: str) -> None:
    """Quotes, line ends and what means something in an address stay within the label's value."""
    query = links.series({"name": "service:availability:ratio", "service": service}, "qrl")
    promql.parse(query)
    parts = urlsplit(links.graph("http://prometheus.example/prom", query, AT))
    assert (parts.netloc, parts.path, parts.fragment) == ("prometheus.example", "/prom/graph", "")
    assert parse_qs(parts.query)["g0.expr"] == [query]
    assert f"{parts.query}&".count("g0.expr=") == 1


def test_a_graph_ends_where_it_was_decided() -> None:
    """The hour before the moment is drawn, so that one sees what the agent saw."""
    parameters = parse_qs(urlsplit(links.graph("http://p", "up", AT)).query)
    assert (parameters["g0.end_input"], parameters["g0.range_input"]) == (["2026-05-28 20:26:40"], ["1h"])
