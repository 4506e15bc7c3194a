"""One request for bytes of a file: redirects, the credential, and what is wrong with an answer.

It knows HTTP, and nothing of files, journals or retries. The credential goes to the origin that
it belongs to and to nobody else; an origin may send us into the open and to its own kind of
address only, and from https never back to http.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

from metier.errors import MetierError, NotFoundError, UnavailableError
from metier.hub.addresses import KindOf, Resolve, kind_of, kinds, refused, resolved
from metier.hub.extents import Extent
from metier.hub.files import as_sha256

_HOPS = 5
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_EMPTY = re.compile(r"bytes \*/(\d{1,18})")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how often to ask again.

    Attributes:
        connect: Seconds for a connection.
        stall: Seconds without a byte after which a connection is given up.
        attempts: Failures in a row, without a byte of progress between, before it is an error.
        pause: Seconds before the first further attempt; each further one waits twice as long.
        longest: Seconds between two attempts at most; who asks for more is not waited for.
    """

    connect: float = 10.0
    stall: float = 30.0
    attempts: int = 5
    pause: float = 0.5
    longest: float = 120.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where files are asked for, and what that place is told.

    Attributes:
        url: Any address of it; scheme, host and port count.
        token: Sent there and nowhere else, or ``None``.
        agent: How we call ourselves.
        resolve: Addresses of a host.
        kind: Where an address is.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    agent: str = "metier"
    resolve: Resolve = resolved
    kind: KindOf = kind_of

    def owns(self, url: str) -> bool:
        """Whether ``url`` is of this origin."""
        return _origin(url) == _origin(self.url)


class TryAgain(Exception):  # noqa: N818  it is no error of ours: the same request may succeed
    """The same request may succeed later: why not now, and the seconds asked for, if any."""

    def __init__(self, error: MetierError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


class NoRangesError(Exception):
    """The server sends whole files only."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of a file before it is fetched.

    Attributes:
        location: Where the bytes are, redirects followed.
        size: Bytes, or ``None`` if it does not say.
        etag: Strong entity tag, or ``None``.
        sha256: Digest that the origin promises, or ``None``.
        ranges: Whether it sends parts.
        redirected: Whether ``location`` is elsewhere than where was asked.
    """

    location: str
    size: int | None
    etag: str | None
    sha256: str | None
    ranges: bool
    redirected: bool = False


class Requests:
    """The requests for the files of one origin; threads may share it."""

    def __init__(self, origin: Origin, patience: Patience, *, connections: int) -> None:
        self._origin, self._patience = origin, patience
        self._allowed = kinds(_host(origin.url), origin.resolve, origin.kind) | {"open"}
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(patience.stall, connect=patience.connect),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"User-Agent": origin.agent, "Accept-Encoding": "identity", "Accept": "*/*"},
        )

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def facts(self, url: str) -> Facts:
        """Ask for the first byte: that shows size, tag, final address and whether parts come."""
        promised: list[str | None] = []
        with self._answer(url, {"Range": "bytes=0-0"}, promised) as response:
            digest = next((found for found in promised if found), None)
            location, moved = str(response.url), str(response.url) != url
            etag = _strong(response.headers.get("ETag"))
            if response.status_code == 206:
                _, whole = _content_range(response, location)
                return Facts(location, whole, etag, digest, whole is not None, moved)
            if response.status_code == 416:
                match = _EMPTY.fullmatch(response.headers.get("Content-Range", ""))
                if match and match.group(1) == "0":
                    return Facts(location, 0, etag, digest, ranges=False, redirected=moved)
                raise TryAgain(_odd(location, "it refuses the first byte of the file"))
            size = _length(response, location)
            return Facts(location, size, etag, digest, ranges=False, redirected=moved)

    @contextmanager
    def part(self, url: str, wanted: Extent, expected: Facts) -> Iterator[Iterator[bytes]]:
        """The bytes of a part, or of its beginning if the server sends less.

        Raises:
            TryAgain: The answer is broken.
            NoRangesError: It sends the whole instead.
            UnavailableError: It is another file now (``source_changed``), or refuses.
        """
        start, stop = wanted
        with self._answer(
            url, {"Range": f"bytes={start}-{stop - 1}"}, [], expected.redirected
        ) as response:
            where = str(response.url)
            _same_tag(response, expected, where)
            if response.status_code == 200:
                raise NoRangesError
            if response.status_code == 416:
                raise _changed(where, "it is shorter than before")
            (first, last), whole = _content_range(response, where)
            if expected.size is not None and whole not in (None, expected.size):
                raise _changed(where, f"it has {whole} bytes and had {expected.size}")
            if first != start or last > stop:
                raise TryAgain(_odd(where, f"it sent bytes {first}-{last - 1} for {start}"))
            length = _length(response, where)
            if length is not None and length != last - first:
                raise TryAgain(_odd(where, f"{length} bytes are announced for {last - first}"))
            yield _reading(response, last - first, where)

    @contextmanager
    def whole(self, url: str, expected: Facts) -> Iterator[Iterator[bytes]]:
        """The bytes of a file from its beginning; errors as ``part``."""
        with self._answer(url, {}, [], expected.redirected) as response:
            where = str(response.url)
            _same_tag(response, expected, where)
            if response.status_code != 200:
                raise TryAgain(_odd(where, f"it answers HTTP {response.status_code} to a GET"))
            length = _length(response, where)
            if length is not None and expected.size is not None and length != expected.size:
                raise TryAgain(_odd(where, f"{length} bytes are announced for {expected.size}"))
            yield _reading(response, expected.size, where)

    @contextmanager
    def _answer(
        self,
        url: str,
        headers: Mapping[str, str],
        promised: list[str | None],
        redirected: bool = False,
    ) -> Iterator[httpx.Response]:
        """The answer after redirects: 200, 206 or 416; everything else is raised."""
        seen = url
        for _ in range(_HOPS + 1):
            request = self._client.build_request("GET", seen, headers=self._told(seen, headers))
            with _network_errors(_host(seen), self._patience):
                response = self._client.send(request, stream=True)
            try:
                self._require_open(response, seen)
                if self._origin.owns(seen):
                    promised.append(as_sha256(_unquoted(response.headers.get("X-Linked-Etag"))))
                if response.status_code not in _REDIRECTS:
                    _accept(response, seen, redirected=redirected or seen != url)
                    with _network_errors(_host(seen), self._patience):
                        yield response
                    return
                seen = self._next(seen, response.headers.get("Location"))
            finally:
                response.close()
        raise UnavailableError(
            f"{_host(url)} redirects more than {_HOPS} times.",
            code="bad_redirect",
            remedy="Do it again later; if it stays so, the server is wrong.",
        )

    def _require_open(self, response: httpx.Response, url: str) -> None:
        """Refuse an answer of a private address: a name may lead elsewhere than when we looked."""
        stream = response.extensions.get("network_stream")
        try:
            address = str(stream.get_extra_info("server_addr")[0]) if stream is not None else ""
        except OSError:
            # It ended already: reading it says so.
            return
        if address and self._origin.kind(address) not in self._allowed:
            raise refused(_host(url), address)

    def _told(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        if self._origin.token and self._origin.owns(url):
            return {**headers, "Authorization": f"Bearer {self._origin.token}"}
        return dict(headers)

    def _next(self, here: str, location: str | None) -> str:
        target = ""
        try:
            target = urljoin(here, location or "")
            parts = urlsplit(target)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if location is None or not host or port == 0 or parts.scheme not in ("http", "https"):
            raise UnavailableError(
                f"{_host(here)} redirects to nothing that can be asked.", code="bad_redirect"
            )
        if parts.scheme == "http" and urlsplit(here).scheme == "https":
            raise UnavailableError(
                f"{_host(here)} redirects from https to http ({host}).",
                code="bad_redirect",
                remedy="Do not pull from there.",
            )
        origin = self._origin
        if not kinds(host, origin.resolve, origin.kind) <= self._allowed:
            raise refused(_host(here), host)
        return target


def _accept(response: httpx.Response, url: str, *, redirected: bool) -> None:
    """Raise unless the answer is one that carries bytes as they are, or says there are none."""
    status = response.status_code
    host = _host(url)
    if status in (200, 206, 416):
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", ""):
            raise TryAgain(_odd(url, f"it sends {encoding[:20]!r} though asked for plain bytes"))
        return
    if status in _LATER:
        limited = status == 429
        error = UnavailableError(
            f"{host} answers HTTP {status}"
            + (": too many requests." if limited else " instead of the file."),
            code="hub_limited" if limited else "hub_failed",
            remedy="Do it again later: it goes on where it stopped.",
            retryable=True,
        )
        raise TryAgain(error, _asked_wait(response.headers.get("Retry-After")))
    if status in (401, 403):
        if redirected:
            # An address that was signed for a while, and the while is over.
            raise TryAgain(_refusal(host, status))
        raise _refusal(host, status)
    if status in (404, 410):
        raise NotFoundError(
            f"{host} has no such file any more (HTTP {status}): {urlsplit(url).path[:200]}",
            code="file_not_found",
            remedy="Check the address, or pull without a revision.",
        )
    raise UnavailableError(f"{host} answers HTTP {status}.", code="hub_failed")


def _refusal(host: str, status: int) -> UnavailableError:
    return UnavailableError(
        f"{host} refuses the file (HTTP {status}): it is gated or private.",
        code="gated",
        remedy="Accept the terms on its page, then set HF_TOKEN to a token of that account or "
        "run 'hf auth login'.",
    )


def _asked_wait(text: str | None) -> float | None:
    """Seconds in a Retry-After header; a date is not read."""
    if text is None or not re.fullmatch(r"\d{1,9}", text.strip()):
        return None
    return float(text)


def _content_range(response: httpx.Response, url: str) -> tuple[Extent, int | None]:
    match = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if response.status_code != 206 or match is None:
        raise TryAgain(_odd(url, "its part of the file does not say which part"))
    first, last = int(match.group(1)), int(match.group(2))
    whole = None if match.group(3) == "*" else int(match.group(3))
    if first > last or (whole is not None and last >= whole):
        raise TryAgain(_odd(url, "its part of the file lies outside the file"))
    return (first, last + 1), whole


def _length(response: httpx.Response, url: str) -> int | None:
    text = response.headers.get("Content-Length")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,18}", text):
        raise TryAgain(_odd(url, "its Content-Length is no number"))
    return int(text)


def _same_tag(response: httpx.Response, expected: Facts, url: str) -> None:
    found = _strong(response.headers.get("ETag"))
    if expected.etag is not None and found is not None and found != expected.etag:
        raise _changed(url, "its tag is another one")


def _reading(response: httpx.Response, most: int | None, url: str) -> Iterator[bytes]:
    """The body; no more than ``most`` bytes are believed."""
    came = 0
    for data in response.iter_raw():
        came += len(data)
        if most is not None and came > most:
            raise TryAgain(_odd(url, f"it sends more than the {most} bytes that it announced"))
        yield data


@contextmanager
def _network_errors(host: str, patience: Patience) -> Iterator[None]:
    """What goes wrong on the way, as something to try again or not."""
    try:
        yield
    except httpx.TimeoutException as error:
        connecting = isinstance(error, httpx.ConnectTimeout)
        seconds = patience.connect if connecting else patience.stall
        raise TryAgain(
            UnavailableError(
                f"No byte came from {host} for {seconds:g} s.",
                code="hub_unreachable" if connecting else "hub_stalled",
                remedy="Do it again: it goes on where it stopped.",
                retryable=True,
            )
        ) from error
    except httpx.TransportError as error:
        raise _transport(host, error) from error


def _transport(host: str, error: httpx.TransportError) -> Exception:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return UnavailableError(
                f"{host} cannot prove who it is: {str(cause)[:160]}",
                code="tls_failed",
                remedy="Check the clock of this machine and who is between it and the network.",
            )
        cause = cause.__cause__ or cause.__context__
    started = isinstance(error, httpx.ReadError | httpx.RemoteProtocolError | httpx.WriteError)
    return TryAgain(
        UnavailableError(
            f"The connection to {host} broke off: {str(error)[:160]}"
            if started
            else f"{host} cannot be reached: {str(error)[:160]}",
            code="hub_broke_off" if started else "hub_unreachable",
            remedy="Check the network and do it again: it goes on where it stopped.",
            retryable=True,
        )
    )


def _odd(url: str, what: str) -> UnavailableError:
    return UnavailableError(
        f"The answer of {_host(url)} is odd: {what}.",
        code="bad_answer",
        remedy="Do it again; if it stays so, the server or something before it is wrong.",
        retryable=True,
    )


def _changed(url: str, what: str) -> UnavailableError:
    return UnavailableError(
        f"The file at {_host(url)} changed while it was fetched: {what}.",
        code="source_changed",
        remedy="Do it again.",
        retryable=True,
    )


def _strong(tag: str | None) -> str | None:
    return None if tag is None or tag.startswith("W/") or not tag.strip('"') else tag.strip('"')


def _unquoted(tag: str | None) -> str | None:
    return tag.removeprefix("W/").strip('"') if tag else None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"


Cancelled = Callable[[], bool]
