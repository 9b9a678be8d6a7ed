"""What may come as a notification: strategies for hypothesis, from a good one to any JSON."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.one_of(
    st.sampled_from(
        ("", "qrl", "ServiceDown", "firing", "resolved", "4", "\0", "\ud800", "x" * 400, "password=hunter2")
    ),
    st.text(max_size=20),
)
NUMBERS = st.one_of(
    st.integers(), st.sampled_from((2**63, -(2**63) - 1, 10**400)), st.floats(allow_nan=False, width=32)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON, of Python's values; `json` writes infinities and NaN too, which are none."""
LABELS = st.dictionaries(
    st.sampled_from(("alertname", "deployment", "branch", "service", "rank")) | TEXTS, TEXTS, max_size=6
)
GOOD_ALERTS = st.fixed_dictionaries(
    {"status": st.sampled_from(("firing", "resolved")), "labels": LABELS},
    optional={"annotations": JSON, "startsAt": TEXTS, "endsAt": JSON, "fingerprint": TEXTS},
)
ALERTS = st.one_of(
    GOOD_ALERTS,
    st.fixed_dictionaries({"status": TEXTS | JSON, "labels": LABELS | JSON}),
    JSON,
)
NOTIFICATIONS = st.fixed_dictionaries(
    {"version": st.just("4"), "alerts": st.lists(ALERTS, max_size=5)},
    optional={"truncatedAlerts": JSON, "receiver": JSON},
)
PAYLOADS = NOTIFICATIONS | JSON
