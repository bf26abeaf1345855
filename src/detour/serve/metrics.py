"""The readings as Prometheus metrics (text exposition format 0.0.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from detour.core.matcher import RuleSet
from detour.serve import stats
from detour.serve.board import Readings

# Each series costs the store that scrapes it for weeks; a bulk file of a million lines is one import.
MOST_RULES = 1000

_SLOTS = (
    ("detour_connections_opened", "Connections accepted", stats.CONNECTIONS_OPENED),
    ("detour_connections_closed", "Connections closed, by either side", stats.CONNECTIONS_CLOSED),
    (
        "detour_refused_heads",
        "Request heads answered with an error before any rule was asked",
        stats.REFUSED_HEADS,
    ),
    ("detour_lost_answers", "Answers cut off because the client reset the connection", stats.LOST_ANSWERS),
    (
        "detour_log_lines_dropped",
        "Access log lines dropped because stdout was too slow",
        stats.LOG_LINES_DROPPED,
    ),
)
_BOARD_COUNTERS = (
    ("detour_reloads", "Reloads that took effect", "reloads"),
    (
        "detour_reload_failures",
        "Reloads refused: faults, a set that shrank, unreadable certificates",
        "reload_failures",
    ),
    ("detour_worker_deaths", "Workers that ended and were replaced", "worker_deaths"),
)
_BOARD_GAUGES = (
    ("detour_rules", "Rules in force", "rules"),
    ("detour_workers", "Workers that run", "workers_alive"),
    ("detour_workers_wanted", "Workers that should run", "workers"),
    ("detour_draining", "1 while the server drains", "draining"),
    ("detour_start_timestamp_seconds", "When the server started", "started"),
    ("detour_last_reload_timestamp_seconds", "When rules were last replaced; 0 before that", "last_reload"),
)


class Exposition(Collector):
    """Collects from the readings at each scrape; keeps nothing."""

    def __init__(self, readings: Readings, clock: Callable[[], float] = time.time) -> None:
        self._readings = readings
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Every metric, with its value of the moment."""
        yield self._answers()
        yield self._hits()
        for name, text, slot in _SLOTS:
            yield CounterMetricFamily(name, text, value=self._readings.total(slot))
        yield self._open()
        for name, text, field in _BOARD_COUNTERS:
            yield CounterMetricFamily(name, text, value=self._readings.board[field])
        for name, text, field in _BOARD_GAUGES:
            yield GaugeMetricFamily(name, text, value=self._readings.board[field])
        yield from self._next_edge()

    def _answers(self) -> Metric:
        family = CounterMetricFamily(
            "detour_answers", "Answers by method and status", labels=("method", "status")
        )
        for method, status, count in self._readings.answers():
            family.add_metric((method, str(status or "other")), count)
        return family

    def _hits(self) -> Metric:
        family = CounterMetricFamily(
            "detour_hits", "Answers given because of a rule, or of an import", labels=("rule",)
        )
        for series in listed_series(self._readings.rules):
            family.add_metric((series,), self._readings.hits(series))
        return family

    def _open(self) -> Metric:
        opened, closed = map(self._readings.total, (stats.CONNECTIONS_OPENED, stats.CONNECTIONS_CLOSED))
        return GaugeMetricFamily(
            "detour_connections_open", "Connections open now", value=max(0, opened - closed)
        )

    def _next_edge(self) -> Iterator[Metric]:
        edge = self._readings.rules.next_edge(self._clock())
        if edge is not None:
            yield GaugeMetricFamily(
                "detour_next_expiry_timestamp_seconds", "When the next rule starts or ends", value=edge
            )


def listed_series(rules: RuleSet) -> list[str]:
    """The series worth a metric, in file order: imports, and the first 1,000 rules written one by one."""
    imports = set(rules.rules.shared.imports)
    written = [name for name in rules.series if name not in imports]
    listed = imports | set(written[:MOST_RULES])
    return [name for name in rules.series if name in listed]


def expose(readings: Readings) -> bytes:
    """The text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposition(readings))
    return generate_latest(registry)
