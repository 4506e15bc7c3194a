"""Reading: files in a worker that is replaced when it ends, and errors that name the file."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from metier.errors import InputError
from metier.pictures import Reader, reading
from metier.picturing import MOST_SIDE
from metier.sandbox import describe
from tiny_vision import encoded, pixels, png


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One worker for all tests of this file."""
    found = Reader()
    yield found
    found.close()


def test_files_of_all_formats(reader: Reader) -> None:
    picture = pixels("green", 2, side=20)
    files = [png(picture), encoded(picture, "JPEG"), encoded(picture, "WEBP", lossless=True)]
    found = reader.decode_all(files, where="picture")
    assert [(one.width, one.height) for one in found] == [(20, 20)] * 3
    assert found[0] == found[2]
    large = reader.decode(encoded(np.zeros((900, 400, 3), np.uint8), "JPEG"), where="large")
    assert (large.width, large.height) == (142, MOST_SIDE)


def test_the_worker_is_confined_where_a_sandbox_works(reader: Reader) -> None:
    reader.decode(png(pixels("red", 1)), where="it")
    assert reader.confined == any(state.works for state in describe())


def test_the_wrong_one_of_several_is_named(reader: Reader) -> None:
    with pytest.raises(InputError, match="picture 2 is a GIF"):
        reader.decode_all([png(pixels("red", 1)), b"GIF89a"], where="picture")
    with pytest.raises(InputError, match=r"cut\.jpg cannot be decoded") as raised:
        reader.decode(encoded(pixels("red", 1), "JPEG")[:-300], where="cut.jpg")
    assert raised.value.code == "broken_picture"


def test_threads_share_it(reader: Reader) -> None:
    files = [png(pixels("blue", seed)) for seed in range(12)]
    found: dict[int, str] = {}

    def ask(place: int) -> None:
        found[place] = reader.decode(files[place], where=str(place)).digest

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found.values())) == 12


def test_a_worker_that_ends_is_replaced(reader: Reader) -> None:
    before = reader.decode(png(pixels("red", 9)), where="it")
    running = reader._running
    assert running is not None
    running.close()
    assert reader.decode(png(pixels("red", 9)), where="it") == before


def test_a_file_that_takes_too_long_ends_its_worker(reader: Reader) -> None:
    reader.decode(png(pixels("red", 3)), where="it")
    running = reader._running
    assert running is not None
    members = running._keeper.members
    for pid in members:
        os.kill(pid, signal.SIGSTOP)
    slow = Reader(seconds=0.3)
    slow._running, reader._running = running, None
    with pytest.raises(InputError, match="longer than"):
        slow.decode(png(pixels("red", 3)), where="it")
    assert slow.decode(png(pixels("red", 4)), where="it").width == 24
    slow.close()


def test_without_a_sandbox_it_is_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_sandbox", lambda: None)
    alone = Reader()
    picture = pixels("green", 7)
    assert alone.decode(png(picture), where="it").pixels == picture.tobytes()
    assert not alone.confined
    with pytest.raises(InputError):
        alone.decode(png(picture)[:-30], where="it")
    alone.close()
