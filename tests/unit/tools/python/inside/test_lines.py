from __future__ import annotations

import os
import threading

import pytest

from metier.tools.python.inside.lines import open_lines


def test_lines_come_whole_and_the_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, ask = os.pipe()
    answers, replies = os.pipe()
    monkeypatch.setenv("METIER_REQUESTS", str(requests))
    monkeypatch.setenv("METIER_REPLIES", str(replies))
    receive, send = open_lines()
    os.write(ask, b"one\ntw")
    os.write(ask, b"o\nhalf")
    os.close(ask)
    assert [receive(), receive()] == [b"one\n", b"two\n"]
    with pytest.raises(EOFError):
        receive()
    long = b"x" * 1_000_000
    writer = threading.Thread(target=send, args=(long,))
    writer.start()
    with os.fdopen(answers, "rb") as reader:
        assert reader.readline() == long + b"\n"
    writer.join()
    os.close(replies)
    os.close(requests)
