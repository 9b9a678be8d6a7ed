"""Names every metric that the exporters expose, with its type, help text and labels."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

OF_DEPLOYMENT = ("deployment",)
OF_SERVICE = ("deployment", "service")
OF_CHECK = (*OF_SERVICE, "check", "kind")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value that goes up and down."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


@dataclass(frozen=True, slots=True)
class Counter:
    """A value that only grows while the exporter runs; its name ends in `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self) -> CounterMetricFamily:
        return CounterMetricFamily(self.name, self.help, labels=self.labels)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations counted in buckets, with their count and their sum."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self.name, self.help, labels=self.labels)


HEALTHCHECK_SUCCESS = Gauge("healthcheck_success", "1 if the health check succeeded, 0 if not.", OF_CHECK)
HEALTHCHECK_DURATION = Gauge(
    "healthcheck_duration_seconds", "How long the health check took, up to its deadline.", OF_CHECK
)
HEALTHCHECK_STATUS = Gauge(
    "healthcheck_http_status_code", "Status of the HTTP response, 0 if there was none.", OF_CHECK
)
HEALTHCHECK_FAILURES = Counter(
    "healthcheck_failures_total", "Failures of the health check, by reason.", (*OF_CHECK, "reason")
)
HEALTH = (HEALTHCHECK_SUCCESS, HEALTHCHECK_DURATION, HEALTHCHECK_STATUS, HEALTHCHECK_FAILURES)

REQUESTS = Counter("access_log_requests_total", "Requests found in the access logs.", (*OF_SERVICE, "method", "code"))
REQUEST_DURATION = Histogram(
    "access_log_request_duration_seconds",
    "Response times found in access logs of formats that hold one.",
    OF_SERVICE,
)
UNPARSABLE_LINES = Counter(
    "access_log_unparsable_lines_total",
    "Lines of the access logs that are not of the configured format.",
    OF_SERVICE,
)
LOG_FILES = Gauge("access_log_files", "Configured access logs that are open and followed now.", OF_SERVICE)
USERS = Gauge("access_log_users", "Distinct users of the last 5 minutes.", OF_DEPLOYMENT)
USERS_AFFECTED = Gauge(
    "access_log_users_affected", "Distinct users who met a 5xx response in the last 5 minutes.", OF_DEPLOYMENT
)
ACCESS_LOG = (
    REQUESTS,
    REQUEST_DURATION,
    UNPARSABLE_LINES,
    LOG_FILES,
    USERS,
    USERS_AFFECTED,
)

RELOAD_SUCCESSFUL = Gauge(
    "rollback_exporter_config_last_reload_successful",
    "1 if the last attempt to read the configuration succeeded, 0 if not.",
)
RELOAD_TIMESTAMP = Gauge(
    "rollback_exporter_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was read.",
)
COLLECTOR_SUCCESS = Gauge(
    "rollback_exporter_collector_success",
    "1 if the collector finished in this scrape, 0 if it raised an error.",
    ("collector",),
)
SELF = (RELOAD_SUCCESSFUL, RELOAD_TIMESTAMP, COLLECTOR_SUCCESS)

ALL = (*HEALTH, *ACCESS_LOG, *SELF)
