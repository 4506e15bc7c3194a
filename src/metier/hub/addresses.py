"""Which hosts an answer from elsewhere may send us to: not into the network that we stand in.

A public server that answers "look there" and names a private address would have us ask, in its
stead, what only this machine may ask. A mirror on this machine or in its network may send us to
its own kind and into the open. It knows addresses and host names and opens nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from metier.errors import UnavailableError

Kind = Literal["open", "loopback", "network", "other"]
"""Where an address is: in the open, this machine, its network, or nowhere that serves models."""
Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host name; raises OSError."""
KindOf = Callable[[str], Kind]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_CARRIERS = ipaddress.ip_network("100.64.0.0/10")


def resolved(host: str) -> Sequence[str]:
    """The addresses that this machine finds for a host name."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def kind_of(address: str) -> Kind:
    """Where an address is; addresses inside addresses are looked through."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return "other"
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return kind_of(str(inner))
    if parsed.is_loopback:
        return "loopback"
    if parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
        return "other"
    if parsed.is_global:
        return "open"
    carried = parsed.version == 4 and parsed in _CARRIERS
    return "network" if parsed.is_private or carried else "other"


def kinds(host: str, resolve: Resolve, kind: KindOf) -> frozenset[Kind]:
    """Where the addresses of a host are; of a host without addresses nowhere."""
    with suppress(OSError, UnicodeError):
        return frozenset(kind(address) for address in resolve(host))
    return frozenset()


def refused(where: str, target: str) -> UnavailableError:
    """The error for an answer that sends us inside."""
    return UnavailableError(
        f"{where} sends this machine to {target[:100]}, which is an address of a private network.",
        code="private_address",
        remedy="Do not pull from there. A mirror inside your own network is named by HF_ENDPOINT.",
    )
