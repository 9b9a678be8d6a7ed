"""Mistakes in the signals, the agent's own alerts and the sources, each with the unit tests that have to notice."""

from __future__ import annotations

from tests.alert_rules.mistake import Mistake, about

SIGNALS, AGENT = "signals.rules.yml", "agent.rules.yml"

BESIDE_TREE = (
    Mistake("no 5xx is absent", "0 * sum by (deployment, service)", "0 * sum", "signals", SIGNALS),
    Mistake("4xx are errors", 'code=~"5.."', 'code=~"[45].."', "signals", SIGNALS),
    Mistake("every check is one of availability", '{kind="availability"}', "", "signals", SIGNALS),
    Mistake("deployments mix", "avg by (deployment) (healthcheck", "avg (healthcheck", "signals", SIGNALS),
    Mistake("the minute takes five", "[1m]", "[5m]", "from-metrics", SIGNALS),
    *about(
        SIGNALS,
        "signals",
        ("users of one exporter", "sum by (deployment) (access_log_users)", "max by (deployment) (access_log_users)"),
        ("users affected of one exporter", "(access_log_users_affected) /", "(access_log_users_affected > 5) /"),
        (
            "one replica's migration",
            "max by (deployment) (release_migration_failed)",
            "min by (deployment) (release_migration_failed) - 1",
        ),
    ),
    *about(
        SIGNALS,
        "signals-daily",
        ("a day of two hours", "mean5m >= 0)[1d:5m]", "mean5m >= 0)[2h:5m]"),
        ("a new service is compared with itself", "mean5m offset 1h", "mean5m"),
        (
            "idle moments are part of the day",
            "(service:http_request_duration_seconds:mean5m >= 0)[",
            "(service:http_request_duration_seconds:mean5m)[",
        ),
        ("half an hour is a day", "mean5m offset 1h", "mean5m offset 30m"),
        ("two hours are no day", "mean5m offset 1h", "mean5m offset 2h"),
    ),
    *about(
        AGENT,
        "agent",
        ("no watchdog", "vector(1)", "vector(1) > 1"),
        (
            "a watchdog that is late",
            "timestamp_seconds) > 300\n            and",
            "timestamp_seconds) > 360\n            and",
        ),
        (
            "a watchdog that is early",
            "timestamp_seconds) > 300\n            and",
            "timestamp_seconds) > 60\n            and",
        ),
        ("an agent that has just begun", '"rollback-agent"}) > 300', '"rollback-agent"}) > 0'),
        ("one replica's watchdog", "max by (job) (rollback_watchdog", "min by (job) (rollback_watchdog"),
        ("any job is the agent", 'up{job="rollback-agent"} == 0', "up == 0"),
        ("any job is the exporter", 'up{job="rollback-exporter"} == 0', "up == 0"),
        ("down for a moment", "for: 1m", "for: 30s"),
        ("unscraped for a moment", "for: 5m", "for: 4m"),
    ),
    *about(
        AGENT,
        "agent-runs",
        ("a question of a moment", "for: 1m", "for: 30s"),
        ("a question for each replica", "max by (deployment, reason)", "max by (deployment, reason, instance)"),
        ("one left is used up", "budget_remaining) == 0", "budget_remaining) <= 1"),
        (
            "a latch for each replica",
            "max by (deployment) (rollback_latched)",
            "max by (deployment, instance) (rollback_latched)",
        ),
        ("a run of ten minutes is stuck", "for: 15m", "for: 10m"),
        ("what is accepted is refused", '{outcome!="accepted"}', ""),
        ("refused an hour ago", "}[10m]", "}[1h]"),
        ("delivered an hour ago", "}[5m])) > 0", "}[1h])) > 0"),
        ("a broken trail holds", "rollback_audit_intact) == 0", "rollback_audit_intact) < 0"),
        (
            "a trail may shrink",
            "resets(rollback_audit_records_total[1h]) > 0",
            "resets(rollback_audit_records_total[1h]) > 1",
        ),
        ("a trail may be replaced", "changes(rollback_audit_head[1h]) > 0", "changes(rollback_audit_head[1h]) > 1"),
        ("a trail may not grow", "unless increase(rollback_audit_records_total[1h]) > 0", ""),
        ("the exporter's configuration does not count", "rollback_exporter_config_last_reload_successful == 0", "none"),
        ("one line in twenty", "0.1 * (", "0.05 * ("),
        ("one line in five", "0.1 * (", "0.2 * ("),
        ("unparsable for a minute", "for: 5m", "for: 1m"),
    ),
    *about(
        AGENT,
        "agent",
        ("waiting for approval is stuck", '{phase!="approve"}', ""),
        ("mail is a webhook", '{integration="webhook"}', ""),
    ),
    *about(
        "sources/http-requests.rules.yml",
        "source-http-requests",
        ("no code is read", ', code=~"5.."', ', code=~"9.."'),
        ("no status is read", ', status=~"5.."', ', status=~"9.."'),
        ("4xx of a code are errors", ', code=~"5.."', ', code=~"[45].."'),
        (
            "one label's errors hide the other's",
            "or\n                  rate(http_requests_total",
            "or on (deployment)\n                  rate(http_requests_total",
        ),
        ("no 5xx of an app is absent", "0 * sum", "0 * none * sum"),
        ("an app without a service", ', service!=""', ""),
        ("users are counted in seconds", "increase(", "rate("),
    ),
    *about(
        "sources/ingress-nginx.rules.yml",
        "source-ingress-nginx",
        ("no status of an ingress is read", ', status=~"5.."', ', status=~"9.."'),
        ("4xx of an ingress are errors", ', status=~"5.."', ', status=~"[45].."'),
        ("no 5xx of an ingress is absent", "0 * sum", "0 * none * sum"),
        ("an ingress without a service", ', service!=""', ""),
        ("an ingress counts users in seconds", "increase(", "rate("),
    ),
    *about(
        "sources/blackbox.rules.yml",
        "source-blackbox",
        ("every probe is one of availability", 'kind="availability"', 'kind!=""'),
        ("a probe of nobody", 'deployment!="", ', ""),
        ("a probe of no service", ', service!=""', ""),
        ("a probe of any deployment", "avg by (deployment) (probe", "avg (probe"),
        (
            "one probe decides",
            'avg by (deployment) (probe_success{deployment!="", kind="payment"',
            'min by (deployment) (probe_success{deployment!="", kind="payment"',
        ),
    ),
    *about(
        "sources/up.rules.yml",
        "source-up",
        ("an exporter is a service", ', kind=""', ""),
        ("a target of nobody is a service", 'deployment!="", service!="", ', ""),
        ("one instance decides", "avg by", "min by"),
    ),
)
