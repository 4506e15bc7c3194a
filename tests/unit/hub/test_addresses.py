from __future__ import annotations

import pytest

from metier.hub.addresses import is_private, reaches_inside, refused, resolved


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::", "no address"],
)  # fmt: skip
def test_addresses_of_a_private_network(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_in_the_open(address: str) -> None:
    assert not is_private(address)


def test_one_private_address_of_several_is_enough() -> None:
    assert reaches_inside("x", lambda _host: ["8.8.8.8", "10.0.0.1"], is_private)
    assert not reaches_inside("x", lambda _host: ["8.8.8.8"], is_private)


def test_a_host_that_nobody_knows_leads_nowhere() -> None:
    def unknown(host: str) -> list[str]:
        raise OSError(host)

    assert not reaches_inside("x", unknown, is_private)


def test_this_machine_is_private() -> None:
    assert reaches_inside("localhost", resolved, is_private)
    assert refused("hub.example", "10.0.0.1").code == "private_address"
