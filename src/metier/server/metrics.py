"""The numbers of this process in Prometheus' text format.

They have a registry of their own, without the collectors that ``prometheus_client`` adds by
itself. Labels are routes as declared, statuses, and names of models that answered: what a caller
made up is never a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from metier.errors import MetierError
from metier.generating import RunningModel, Taken

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LOADS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
Running = Callable[[], Sequence[RunningModel]]


class Metrics:
    """Everything that is counted; threads share it.

    Args:
        running: What is in memory, asked at each reading.
    """

    def __init__(self, running: Running) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "metier_http_requests", "Requests.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "metier_http_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "metier_http_requests_in_flight", "Requests not yet answered.", registry=registry
        )
        self._tokens = Counter(
            "metier_tokens",
            "Tokens of prompts (in; of them from the cache: cached) and of answers (out).",
            ("model", "kind"),
            registry=registry,
        )
        self._first = Histogram(
            "metier_first_token_seconds",
            "From the first byte of a request to the first piece of a streamed answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._loads = Histogram(
            "metier_model_load_seconds",
            "What requests waited for a model to load.",
            buckets=_LOADS,
            registry=registry,
        )
        self._failures = Counter(
            "metier_failures",
            "Requests that failed, by code of the error.",
            ("code",),
            registry=registry,
        )
        registry.register(_Residents(running))

    def text(self) -> bytes:
        """The numbers as they are now."""
        return generate_latest(self._registry)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A request is being answered."""
        self._in_flight.inc()
        try:
            yield
        finally:
            self._in_flight.dec()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        known = method if method in _METHODS else "other"
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answers(self, model: str, taken: Sequence[Taken], first: float | None) -> None:
        """A model answered a request."""
        if first is not None:
            self._first.observe(first)
        for item in taken:
            self._tokens.labels(model, "in").inc(item.tokens_in)
            self._tokens.labels(model, "cached").inc(item.tokens_cached)
            self._tokens.labels(model, "out").inc(item.tokens_out)
            if item.load > 0:
                self._loads.observe(item.load)

    def failed(self, code: str) -> None:
        """A request failed with an error of Metier's own."""
        self._failures.labels(code).inc()


class _Residents:
    """The models in memory at the moment of reading."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def describe(self) -> Iterable[Metric]:
        """Nothing: the models are asked only when somebody reads."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """How many there are, and what they hold."""
        count = GaugeMetricFamily("metier_models_resident", "Models in memory.")
        held = GaugeMetricFamily(
            "metier_model_memory_bytes", "Memory that a model in memory holds.", labels=("model",)
        )
        try:
            running = self._running()
        except MetierError:
            # A store that cannot be read is said by the calls that need it.
            running = ()
        count.add_metric((), len(running))
        for model in running:
            held.add_metric((model.listing.name,), model.memory_bytes)
        return (count, held)
