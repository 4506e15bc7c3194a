"""Where the server of a home folder answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metier.cli.presence import (
    announce_presence,
    read_key,
    read_presence,
    withdraw_presence,
)
from metier.errors import InputError


def test_it_is_found_while_it_runs(tmp_path: Path):
    assert read_presence(tmp_path) is None
    announce_presence(tmp_path, "http://127.0.0.1:1")
    assert read_presence(tmp_path) == "http://127.0.0.1:1"
    withdraw_presence(tmp_path)
    assert read_presence(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_killed_servers_file_counts_for_nothing(tmp_path: Path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    document = {"address": "http://127.0.0.1:1", "pid": gone.pid}
    (tmp_path / "server.json").write_text(json.dumps(document))
    assert read_presence(tmp_path) is None


def test_anothers_word_stays(tmp_path: Path):
    document = {"address": "http://127.0.0.1:1", "pid": os.getppid()}
    (tmp_path / "server.json").write_text(json.dumps(document))
    withdraw_presence(tmp_path)
    assert read_presence(tmp_path) == "http://127.0.0.1:1"


@pytest.mark.parametrize("text", ["", "[]", '{"address": 1}', '{"address": "x", "pid": "y"}'])
def test_a_broken_file_is_no_server(tmp_path: Path, text: str):
    (tmp_path / "server.json").write_text(text)
    assert read_presence(tmp_path) is None


def test_a_key_is_one_line_of_a_file(tmp_path: Path):
    path = tmp_path / "key"
    path.write_text(" secret \n")
    assert read_key(path) == "secret"
    path.write_text("\n")
    with pytest.raises(InputError, match="empty"):
        read_key(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path / "none")
