from __future__ import annotations

import pytest

from metier.hub.addresses import kind_of, kinds, refused, resolved


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "network"), ("172.16.0.1", "network"), ("192.168.1.1", "network"),
        ("100.64.0.1", "network"), ("fd00::1", "network"), ("::ffff:10.0.0.1", "network"),
        ("64:ff9b::a00:1", "network"), ("2002:a00:1::", "network"),
        ("169.254.169.254", "other"), ("fe80::1%eth0", "other"), ("0.0.0.0", "other"),
        ("::", "other"), ("224.0.0.1", "other"), ("no address", "other"),
        ("8.8.8.8", "open"), ("2606:4700::1111", "open"), ("64:ff9b::808:808", "open"),
    ],
)  # fmt: skip
def test_where_an_address_is(address: str, expected: str) -> None:
    assert kind_of(address) == expected


def test_every_address_of_a_host_counts() -> None:
    assert kinds("x", lambda _host: ["8.8.8.8", "10.0.0.1"], kind_of) == {"open", "network"}


def test_a_host_that_nobody_knows_leads_nowhere() -> None:
    def unknown(host: str) -> list[str]:
        raise OSError(host)

    assert kinds("x", unknown, kind_of) == frozenset()


def test_this_machine_is_this_machine() -> None:
    assert kinds("localhost", resolved, kind_of) == {"loopback"}
    assert refused("hub.example", "10.0.0.1").code == "private_address"
