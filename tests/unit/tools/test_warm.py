"""The warm process: it answers, is ended when it hangs, and comes back afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.tools.warm import Program, Stopped, WarmWorker
from toolchain import needs, toolchains

pytestmark = needs()

SCRIPT = """
import { createInterface } from 'node:readline';
const held = [];
const acts = {
  echo: (request) => request,
  environment: () => ({ names: Object.keys(process.env) }),
  process: () => ({ id: process.pid }),
  hang: () => { for (;;) {} },
  exit: () => process.exit(3),
  fill: () => { for (;;) held.push(new Array(1e6).fill('x')); },
  text: () => 'no object',
  garbage: () => undefined,
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify(acts[request.op](request)) + '\\n');
});
process.stdout.write('{"ready":true}\\n');
"""


def started(folder: Path, source: str = SCRIPT, memory_mb: int = 64) -> WarmWorker:
    script = folder / "worker.mjs"
    script.write_text(source)
    return WarmWorker(Program(toolchains().node, script, list, memory_mb=memory_mb))


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WarmWorker]:
    made = started(tmp_path)
    yield made
    made.close()


def test_it_answers_and_stays(worker: WarmWorker) -> None:
    first = worker.ask({"op": "process"}, seconds=20)
    assert worker.ask({"op": "process"}, seconds=20) == first


def test_text_comes_back_as_it_was(worker: WarmWorker) -> None:
    for text in ("ä 😀 \u2028 \x00 \ud800", "x" * 3_000_000, ""):
        assert worker.ask({"op": "echo", "text": text}, seconds=60)["text"] == text


def test_it_has_no_environment(worker: WarmWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_GENERAL_KEY", "secret")
    assert worker.ask({"op": "environment"}, seconds=20)["names"] == []


@pytest.mark.parametrize(
    ("act", "seconds", "why"), [("hang", 0.5, "time"), ("exit", 20, "died"), ("text", 20, "died")]
)
def test_what_stops_it_is_told_and_the_next_request_is_answered(
    worker: WarmWorker, act: str, seconds: float, why: str
) -> None:
    before = worker.ask({"op": "process"}, seconds=20)
    with pytest.raises(Stopped) as caught:
        worker.ask({"op": act}, seconds=seconds)
    assert caught.value.why == why
    after = worker.ask({"op": "process"}, seconds=20)
    assert (after != before) is (act != "text")


def test_running_out_of_memory_is_told(worker: WarmWorker) -> None:
    with pytest.raises(Stopped) as caught:
        worker.ask({"op": "fill"}, seconds=60)
    assert caught.value.why == "memory"


def test_several_threads_get_their_own_answers(worker: WarmWorker) -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            if worker.ask({"op": "echo", "n": number}, seconds=60)["n"] != number:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    worker = started(tmp_path, "import './missing.mjs';")
    with pytest.raises(UnavailableError, match=r"missing\.mjs") as caught:
        worker.ask({"op": "echo"}, seconds=20)
    assert caught.value.code == "broken_toolchain"


def test_a_worker_that_greets_otherwise_is_refused(tmp_path: Path) -> None:
    worker = started(tmp_path, "process.stdout.write('hello\\n'); process.stdin.resume();")
    with pytest.raises(UnavailableError) as caught:
        worker.ask({"op": "echo"}, seconds=20)
    assert caught.value.code == "broken_toolchain"


def test_closing_ends_the_process_and_closing_again_is_nothing(worker: WarmWorker) -> None:
    number = worker.ask({"op": "process"}, seconds=20)["id"]
    worker.close()
    worker.close()
    assert not Path(f"/proc/{number}").exists()
