"""The general model: asked fairly over HTTP, against a service on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from metier.engines import calling
from metier.engines.calling import Patience
from metier.engines.remote import GeneralSystem
from metier.errors import UnavailableError
from metier.messages import Example
from metier.services import Service

LABELS = ("card", "parcel")


class Recorder:
    """What the service saw, and what it is to say next."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.keys: list[str | None] = []
        self.script: list[tuple[int, object]] = []
        self.lock = threading.Lock()

    def reply(self, body: dict) -> tuple[int, object]:
        with self.lock:
            self.requests.append(body)
            if self.script:
                return self.script.pop(0)
        text = body["messages"][-1]["content"]
        label = "card" if "card" in text else "parcel"
        return 200, said(json.dumps({"label": label}))


def said(text: str) -> dict:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 5},
    }


@pytest.fixture
def service(monkeypatch) -> Iterator[tuple[Recorder, Service]]:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.01)
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            recorder.keys.append(self.headers.get("Authorization"))
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = recorder.reply(body)
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    yield recorder, Service(url, "big-model", "secret", 1.0, 4.0, "2026-11-23", parallel=1)
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_answers_in_order_and_counts_tokens(service) -> None:
    recorder, where = service
    answers = GeneralSystem(where, LABELS).answer(["my card", "my parcel"])
    assert [answer.text for answer in answers] == ["card", "parcel"]
    assert (answers[0].tokens_in, answers[0].tokens_out) == (50, 5)
    assert where.spent(1_000_000, 1_000_000) == pytest.approx(5.0)
    assert recorder.keys == ["Bearer secret"] * 2


def test_answers_are_constrained_to_the_labels(service) -> None:
    recorder, where = service
    GeneralSystem(where, LABELS).answer(["my card"])
    request = recorder.requests[0]
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["label"]["enum"] == list(LABELS)
    assert request["temperature"] == 0
    assert all(label in request["messages"][0]["content"] for label in LABELS)


def test_retrieved_examples_are_shown_nearest_last(service) -> None:
    recorder, where = service
    near = [Example("near", "card"), Example("far", "parcel")]
    GeneralSystem(where, LABELS, lambda texts: [near for _ in texts], 2).answer(["my card"])
    contents = [message["content"] for message in recorder.requests[0]["messages"]]
    assert contents[1] == "far"
    assert contents[3] == "near"
    assert contents[-1] == "my card"


def test_a_service_without_schemas_is_asked_without(service) -> None:
    recorder, where = service
    recorder.script = [(400, {"error": "response_format is not supported"})]
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.text == "card"
    assert "response_format" not in recorder.requests[1]


def test_an_answer_that_is_no_label_gets_a_second_chance(service) -> None:
    recorder, where = service
    recorder.script = [(200, said("I think it is about money"))]
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.text in LABELS
    assert len(recorder.requests) == 2
    assert answer.tokens_in == 100


def test_two_answers_that_are_no_label_are_wrong_not_unscored(service) -> None:
    recorder, where = service
    recorder.script = [(200, said("hm")), (200, said("hm"))]
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.error is None
    assert answer.text == "hm"


@pytest.mark.parametrize(
    "reply", ['{"label": "card"}', "card", "Card.", '```json\n{"label": "card"}\n```', '"card"']
)
def test_labels_are_read_from_the_usual_shapes(service, reply) -> None:
    recorder, where = service
    recorder.script = [(200, said(reply))]
    (answer,) = GeneralSystem(where, LABELS).answer(["?"])
    assert answer.text == "card"
    assert len(recorder.requests) == 1


def test_passing_trouble_is_tried_again(service) -> None:
    recorder, where = service
    recorder.script = [(503, {}), (429, {})]
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.text == "card"
    assert len(recorder.requests) == 3


def test_lasting_trouble_is_an_error_of_the_item(service) -> None:
    recorder, where = service
    recorder.script = [(500, {})] * Patience().attempts
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.text is None
    assert "HTTP 500" in str(answer.error)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"{}", b'{"choices": []}'])
def test_odd_bodies_do_no_harm(service, body) -> None:
    recorder, where = service
    recorder.script = [(200, body)] * 2
    (answer,) = GeneralSystem(where, LABELS).answer(["my card"])
    assert answer.error or answer.text == "(empty)"


def test_a_refused_key_stops_the_run_and_is_not_shown(service) -> None:
    recorder, where = service
    recorder.script = [(401, {})]
    with pytest.raises(UnavailableError) as caught:
        GeneralSystem(where, LABELS).answer(["my card"])
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(where)


def test_the_digest_knows_the_question_but_not_the_key(service) -> None:
    _, where = service
    one = GeneralSystem(where, LABELS).digest
    assert one == GeneralSystem(Service(**{**vars(where), "key": "other"}), LABELS).digest
    assert one != GeneralSystem(where, LABELS[:1]).digest
    shown = GeneralSystem(where, LABELS, lambda texts: [[] for _ in texts], 5, "sha256:a").digest
    other = GeneralSystem(where, LABELS, lambda texts: [[] for _ in texts], 5, "sha256:b").digest
    assert len({one, shown, other}) == 3


def test_nothing_listens(monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.01)
    where = Service("http://127.0.0.1:9/v1", "m", timeout=0.2, parallel=1)
    with pytest.raises(UnavailableError) as caught:
        GeneralSystem(where, LABELS).answer(["x"] * 50)
    assert caught.value.code == "general_unreachable"
    assert caught.value.retryable
