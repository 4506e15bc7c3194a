"""The numbers of the process: their own registry, bounded labels, residents at reading."""

from __future__ import annotations

from metier.errors import StorageError
from metier.generating import RunningModel, Taken
from metier.server.metrics import Metrics
from stand_in.models import listing


def text(metrics: Metrics) -> str:
    return metrics.text().decode()


def test_nothing_is_there_that_nobody_counted() -> None:
    said = text(Metrics(lambda: ()))
    assert "metier_models_resident 0.0" in said
    assert "process_" not in said
    assert "python_" not in said


def test_residents_are_asked_for_at_each_reading() -> None:
    running: list[RunningModel] = []
    metrics = Metrics(lambda: running)
    running.append(RunningModel(listing("tiny"), 5_000, 2048, None))
    assert "metier_models_resident 1.0" in text(metrics)
    assert 'metier_model_memory_bytes{model="tiny"} 5000.0' in text(metrics)


def test_a_store_that_cannot_be_read_spares_the_other_numbers() -> None:
    def running() -> list[RunningModel]:
        raise StorageError("The disk is gone.")

    assert "metier_models_resident 0.0" in text(Metrics(running))


def test_requests_are_counted_by_route_method_and_status() -> None:
    metrics = Metrics(lambda: ())
    with metrics.in_flight():
        assert "metier_http_requests_in_flight 1.0" in text(metrics)
    metrics.request("/v1/models", "GET", 200, 0.002)
    metrics.request("none", "BREW", 405, 0.002)
    said = text(metrics)
    assert 'metier_http_requests_total{method="GET",route="/v1/models",status="200"} 1.0' in said
    assert 'method="other"' in said
    assert "BREW" not in said


def test_answers_count_tokens_and_loads() -> None:
    metrics = Metrics(lambda: ())
    metrics.answers("tiny", [Taken(tokens_in=5, tokens_cached=4, tokens_out=2, load=3.0)], 0.1)
    metrics.answers("", [], None)
    metrics.failed("engine_ended")
    said = text(metrics)
    for kind, count in (("in", 5.0), ("cached", 4.0), ("out", 2.0)):
        assert f'metier_tokens_total{{kind="{kind}",model="tiny"}} {count}' in said
    assert "metier_model_load_seconds_sum 3.0" in said
    assert 'metier_failures_total{code="engine_ended"} 1.0' in said
