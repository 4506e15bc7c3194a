"""Remote services: what may stand in services.toml, and where a key comes from and never goes."""

from __future__ import annotations

import json

import pytest

from metier.errors import InputError, NotFoundError
from metier.services import (
    Service,
    check_service,
    find_service,
    is_loopback,
    open_service,
    read_services,
)

FULL = """
[mine]
url = "http://127.0.0.1:8080/v1/"
model = "coder-7b"

[paid]
url = "https://api.example.com/v1"
model = "big"
key_env = "EXAMPLE_KEY"
key_header = "api-key"
timeout = 120
parallel = 8
headers = { "X-Title" = "metier" }
proxy = "http://127.0.0.1:3128"
certificates = "authorities.pem"
"""
KEYS = {"EXAMPLE_KEY": " sk-secret\n", "EMPTY": " ", "ODD": "schlüssel"}


def written(tmp_path, text: str):
    path = tmp_path / "services.toml"
    path.write_bytes(text.encode())
    return path


def test_services_are_read_in_their_order(tmp_path) -> None:
    entries = read_services(written(tmp_path, FULL))
    assert list(entries) == ["mine", "paid"]
    mine = open_service(entries["mine"], variable=KEYS.get)
    assert (mine.url, mine.model, mine.key) == ("http://127.0.0.1:8080/v1", "coder-7b", None)
    paid = open_service(entries["paid"], variable=KEYS.get, price=(1.0, 4.0), date="2026-11-23")
    assert paid.key == "sk-secret"
    assert (paid.name, paid.timeout, paid.parallel, paid.date) == ("paid", 120, 8, "2026-11-23")
    assert paid.headers == {"X-Title": "metier"}
    assert paid.certificates == tmp_path / "authorities.pem"
    assert paid.spent(1_000_000, 1_000_000) == pytest.approx(5.0)


def test_a_key_is_never_shown(tmp_path) -> None:
    entries = read_services(written(tmp_path, FULL))
    service = open_service(entries["paid"], variable=KEYS.get)
    assert "sk-secret" not in repr(service) + str(service) + repr(entries)
    assert "3128" not in repr(service), "a proxy's address may hold a password"


def test_without_a_file_there_are_none(tmp_path) -> None:
    assert read_services(tmp_path / "services.toml") == {}


def test_a_service_is_found_by_name(tmp_path) -> None:
    entries = read_services(written(tmp_path, FULL))
    assert find_service(entries, "paid").model == "big"
    with pytest.raises(NotFoundError) as caught:
        find_service(entries, "pad")
    assert "mine, paid" in caught.value.message
    assert caught.value.code == "no_service"


def test_a_key_may_stand_in_a_file(tmp_path) -> None:
    (tmp_path / "key.txt").write_text("sk-file\n")
    table = '[a]\nurl = "https://x.example/v1"\nmodel = "m"\nkey_file = "key.txt"\n'
    entries = read_services(written(tmp_path, table))
    assert open_service(entries["a"], variable=KEYS.get).key == "sk-file"


@pytest.mark.parametrize(
    "where",
    [
        'key_env = "MISSING"',
        'key_env = "EMPTY"',
        'key_env = "ODD"',
        'key_file = "missing.txt"',
        'key_file = "."',
        'key_file = "long.txt"',
        'key_file = "lines.txt"',
    ],
)
def test_a_key_that_cannot_be_used_is_said_without_showing_it(tmp_path, where) -> None:
    (tmp_path / "long.txt").write_text("k" * 20_000)
    (tmp_path / "lines.txt").write_text("sk-one\nsk-two")
    table = f'[a]\nurl = "https://x.example/v1"\nmodel = "m"\n{where}\n'
    entry = read_services(written(tmp_path, table))["a"]
    with pytest.raises(InputError) as caught:
        open_service(entry, variable=KEYS.get)
    assert caught.value.code == "bad_key"
    told = json.dumps(caught.value.as_dict())
    assert "schl" not in told
    assert "sk-" not in told


GOOD = 'url = "https://x.example/v1"\nmodel = "m"\n'


@pytest.mark.parametrize(
    "text",
    [
        "[a\n",
        "a = 1\n",
        "[a]\n",
        '[a]\nurl = "https://x.example/v1"\n',
        '[a]\nmodel = "m"\n',
        '["two words"]\n' + GOOD,
        "[general]\n" + GOOD,
        "[a]\n" + GOOD + 'key = "sk-secret"\n',
        "[a]\n" + GOOD + 'key_env = "A"\nkey_file = "b"\n',
        "[a]\n" + GOOD + "key_env = 1\n",
        "[a]\n" + GOOD + 'key_header = "two words"\n',
        "[a]\n" + GOOD + "unknown = 1\n",
        "[a]\n" + GOOD + "timeout = 0\n",
        "[a]\n" + GOOD + "timeout = nan\n",
        "[a]\n" + GOOD + "timeout = true\n",
        "[a]\n" + GOOD + "parallel = 1.5\n",
        "[a]\n" + GOOD + "parallel = 1000\n",
        "[a]\n" + GOOD + 'headers = { "Authorization" = "Bearer sk-secret" }\n',
        "[a]\n" + GOOD + 'headers = { "x-api-key" = "sk-secret" }\n',
        "[a]\n" + GOOD + 'headers = { "X-A" = "two\\nlines" }\n',
        "[a]\n" + GOOD + 'headers = { "X A" = "a" }\n',
        "[a]\n" + GOOD + "headers = 1\n",
        "[a]\n" + GOOD + 'proxy = "socks"\n',
        '[a]\nurl = "file:///etc/passwd"\nmodel = "m"\n',
        '[a]\nurl = "https://me:sk-secret@x.example/v1"\nmodel = "m"\n',
        '[a]\nurl = "https://x.example/v1?key=sk-secret"\nmodel = "m"\n',
        '[a]\nurl = "https://x.example:99999999/v1"\nmodel = "m"\n',
        '[a]\nurl = ""\nmodel = "m"\n',
    ],
)
def test_what_is_no_service_is_refused_without_showing_a_secret(tmp_path, text) -> None:
    with pytest.raises(InputError) as caught:
        read_services(written(tmp_path, text))
    assert caught.value.code == "bad_services"
    assert "sk-secret" not in json.dumps(caught.value.as_dict())


def test_bytes_that_are_no_text_are_refused(tmp_path) -> None:
    path = tmp_path / "services.toml"
    path.write_bytes(b"\xff\xfe[a]")
    with pytest.raises(InputError):
        read_services(path)


@pytest.mark.parametrize(("url", "model"), [("file:///etc", "m"), ("http://x/v1", "")])
def test_an_address_that_is_no_service_is_refused(url, model) -> None:
    with pytest.raises(InputError) as caught:
        check_service(Service(url, model))
    assert caught.value.code == "bad_service"


@pytest.mark.parametrize(
    ("url", "key", "cautious"),
    [
        ("https://x.example/v1", "k", False),
        ("http://x.example/v1", None, False),
        ("http://x.example/v1", "k", True),
        ("http://192.168.1.5:8080/v1", "k", True),
        ("http://localhost:8080/v1", "k", False),
        ("http://[::1]:8080/v1", "k", False),
    ],
)
def test_a_key_that_travels_unencrypted_is_a_caution(url, key, cautious) -> None:
    assert bool(Service(url, "m", key).cautions) is cautious


def test_this_machine_has_many_names() -> None:
    assert all(is_loopback(host) for host in ("localhost", "a.localhost", "127.0.0.2", "::1"))
    assert not any(is_loopback(host) for host in ("localhost.example", "10.0.0.1", ""))
