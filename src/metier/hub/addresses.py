"""Which hosts an answer from elsewhere may send us to: not into the network that we stand in.

A public server that answers "look there" and names a private address would have us ask, in its
stead, what only this machine may ask. It knows addresses and host names and opens nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from metier.errors import UnavailableError

Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host name; raises OSError."""
IsPrivate = Callable[[str], bool]


def resolved(host: str) -> Sequence[str]:
    """The addresses that this machine finds for a host name."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def is_private(address: str) -> bool:
    """Whether an address belongs to this machine, its network, or nobody in the open."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return True
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_private(str(inner))
    return not parsed.is_global or parsed.is_multicast


def reaches_inside(host: str, resolve: Resolve, private: IsPrivate) -> bool:
    """Whether any address of a host is private; a host without addresses has none."""
    with suppress(OSError, UnicodeError):
        return any(private(address) for address in resolve(host))
    return False


def refused(where: str, target: str) -> UnavailableError:
    """The error for an answer that sends us inside."""
    return UnavailableError(
        f"{where} sends this machine to {target[:100]}, which is an address of a private network.",
        code="private_address",
        remedy="Do not pull from there. A mirror inside your own network is named by HF_ENDPOINT.",
    )
