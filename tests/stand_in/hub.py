"""A model hub on the loopback: the API that the hub's own client asks, and files, with faults.

It is a real HTTP server, used with the real client and our own fetching. Files over a kilobyte are
"large": they have a SHA-256 and are answered by a redirect, as the public hub does it. What was
asked and how many bytes went out is recorded.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 1024
TOKEN = "hf_secret_of_the_tests"
COMMIT = "c" * 40
_CHUNK = 16 << 10


@dataclass(frozen=True)
class Asked:
    """One request: method, path, headers, and the port at which it came."""

    method: str
    path: str
    headers: dict[str, str]
    port: int

    @property
    def extent(self) -> tuple[int, int] | None:
        """First byte and the byte after the last that are asked for."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        return (int(match.group(1)), int(match.group(2)) + 1) if match else None


@dataclass
class Fault:
    """What goes wrong, how often (the probe for one byte is spared), and in which answers.

    Kinds: ``cut`` mid-body, ``reset`` at once, ``stall`` mid-body, ``drip`` slowly, ``whole`` (200
    where a part was asked), ``range`` (another part), ``lie`` (Content-Length too long),
    ``short`` (Content-Length too short), ``long`` (more than was asked), ``gzip``, ``etag``
    (another tag), ``wrong`` (other bytes), ``empty`` body, ``loop`` of redirects, ``status``.
    """

    kind: str
    times: int = 1
    path: str = "/cdn/"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    at: int = 50_000
    probe: bool = False


@functools.lru_cache(maxsize=256)
def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Hub:
    """Repositories, faults and the record of what was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.cards: dict[str, dict[str, object]] = {}
        self.commits: dict[str, str] = {}
        self.gated: set[str] = set()
        self.facts: dict[str, dict[str, object]] = {}
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.sent: dict[str, int] = {}
        self.redirect_to: str | None = None
        self.rate = 0.0
        self.lock = threading.Lock()
        self.url = self.elsewhere = ""
        self.released = threading.Event()

    def add(self, name: str, files: dict[str, bytes], **card: object) -> None:
        """A repository with these files; the keywords are its card."""
        self.repositories[name] = files
        self.cards[name] = card

    def large(self, data: bytes) -> str:
        """The digest of a large file."""
        return _sha256(data)

    def find(self, digest: str) -> bytes | None:
        """A large file by its digest."""
        for files in self.repositories.values():
            for data in files.values():
                if len(data) > LARGE and self.large(data) == digest:
                    return data
        return None

    def fault_for(self, asked: Asked) -> Fault | None:
        """The fault of this answer, if any is left; each is spent."""
        probe = asked.extent == (0, 1)
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.path in asked.path and (fault.probe or not probe):
                    fault.times -= 1
                    return fault
        return None

    def note(self, asked: Asked) -> None:
        """Record a request."""
        with self.lock:
            self.asked.append(asked)

    def count(self, path: str, number: int) -> None:
        """Record bytes of a body that went out."""
        with self.lock:
            self.sent[path] = self.sent.get(path, 0) + number

    def sent_of(self, data: bytes) -> int:
        """Bytes that went out of a large file."""
        return self.sent.get(f"/cdn/{self.large(data)}", 0)

    def requests(self, part: str) -> list[Asked]:
        """Requests whose path has ``part`` in it."""
        return [asked for asked in self.asked if part in asked.path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        """Keep the tests' output quiet."""

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError, ValueError):
            super().handle()

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def _route(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        asked = Asked(self.command, path, headers, self.server.server_address[1])
        self.hub.note(asked)
        fault = self.hub.fault_for(asked)
        if fault is not None and self._fails_at_once(fault, path):
            return
        if path == "/api/models":
            self._search()
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._info(match.group(1), match.group(2))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)/?", path):
            self._tree(match.group(1))
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(match.group(1), match.group(3), asked, fault)
        elif match := re.fullmatch(r"/cdn/([0-9a-f]{64})", path):
            self._file(self.hub.find(match.group(1)), asked, fault)
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _fails_at_once(self, fault: Fault, path: str) -> bool:
        if fault.kind == "status":
            self._answer(fault.status, b"{}", fault.headers)
        elif fault.kind == "loop":
            self._answer(302, b"", {"Location": path})
        elif fault.kind == "redirect":
            self._answer(302, b"", fault.headers)
        elif fault.kind == "reset":
            self._break()
        else:
            return False
        return True

    def _allowed(self, name: str) -> bool:
        if name not in self.hub.repositories:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif name in self.hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            return True
        return False

    def _info(self, name: str, revision: str | None) -> None:
        if not self._allowed(name):
            return
        commit = self.hub.commits.get(name, COMMIT)
        if revision not in (None, "main", commit):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return
        files = [
            {"rfilename": one.pop("path"), "blobId": one.pop("oid"), **one}
            for one in self._entries(name)
        ]
        card = self.hub.cards.get(name)
        document = {"id": name, "modelId": name, "sha": commit, "siblings": files, "tags": []}
        told = {"private": False, "gated": False, "cardData": card or None}
        self._json({**document, **told, **self.hub.facts.get(name, {})})

    def _search(self) -> None:
        """Models whose name has the words; ``facts`` says the rest of each, in its order."""
        asked = parse_qs(urlsplit(self.path).query)
        words = asked.get("search", [""])[0].lower()
        tag = asked.get("pipeline_tag", [""])[0]
        found = [
            {"id": name, **facts}
            for name, facts in self.hub.facts.items()
            if words in name.lower() and tag in ("", facts.get("pipeline_tag"))
        ]
        self._json(found[: int(asked.get("limit", ["100"])[0])])

    def _tree(self, name: str) -> None:
        if self._allowed(name):
            self._json([{"type": "file", **one} for one in self._entries(name)])

    def _entries(self, name: str) -> list[dict[str, object]]:
        entries: list[dict[str, object]] = []
        for path, data in self.hub.repositories[name].items():
            git = hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False)
            entry: dict[str, object] = {"path": path, "size": len(data), "oid": git.hexdigest()}
            if len(data) > LARGE:
                size = len(data)
                digest = self.hub.large(data)
                entry["lfs"] = {"oid": digest, "size": size, "pointerSize": 130, "sha256": digest}
            entries.append(entry)
        return entries

    def _resolve(self, name: str, path: str, asked: Asked, fault: Fault | None) -> None:
        if not self._allowed(name):
            return
        data = self.hub.repositories[name].get(path)
        if data is None:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        elif len(data) > LARGE:
            digest = self.hub.large(data)
            start = self.hub.redirect_to or self.hub.url
            headers = {"Location": f"{start}/cdn/{digest}", "X-Repo-Commit": COMMIT}
            linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
            self._answer(302, b"", {**headers, **linked})
        else:
            self._file(data, asked, fault)

    def _file(self, data: bytes | None, asked: Asked, fault: Fault | None) -> None:
        if data is None:
            self._answer(404, b"", {})
            return
        kind = fault.kind if fault else ""
        tag = "another" if kind == "etag" else _sha256(data)
        headers = {"ETag": f'"{tag}"', "Accept-Ranges": "bytes"}
        extent, status, body = asked.extent, 200, data
        if extent is not None and kind != "whole" and not self._no_ranges():
            start, stop = extent[0], min(extent[1], len(data))
            if start >= len(data):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return
            status, body = 206, data[start:stop]
            shift = 1 if kind == "range" else 0
            headers["Content-Range"] = f"bytes {start + shift}-{stop - 1 + shift}/{len(data)}"
        body, length = self._spoiled(kind, body, headers)
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self._send(body, asked, fault)

    def _no_ranges(self) -> bool:
        return any(fault.kind == "no ranges" for fault in self.hub.faults)

    def _spoiled(self, kind: str, body: bytes, headers: dict[str, str]) -> tuple[bytes, int]:
        length = len(body)
        if kind == "wrong":
            body = bytes(byte ^ 1 for byte in body[:1]) + body[1:]
        elif kind == "gzip":
            body = gzip.compress(body, 1)
            headers["Content-Encoding"], length = "gzip", len(body)
        elif kind == "lie":
            length += 1000
        elif kind == "short":
            length = max(0, length - 10)
        elif kind == "long":
            body, length = body + b"x" * 1000, length + 1000
        elif kind == "empty":
            body, length = b"", 0
        return body, length

    def _send(self, body: bytes, asked: Asked, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        at = min(fault.at, len(body) // 2) if fault else 0
        chunk = _CHUNK if self.hub.rate or fault else 64 * _CHUNK
        for start in range(0, len(body), chunk):
            if kind == "cut" and start >= at:
                self._break()
                return
            if kind == "stall" and start >= at:
                self.hub.released.wait(60)
                self._break()
                return
            part = memoryview(body)[start : start + chunk]
            if kind == "drip":
                time.sleep(0.02)
            if self.hub.rate:
                time.sleep(len(part) / self.hub.rate)
            self.wfile.write(part)
            self.hub.count(asked.path, len(part))
        if kind == "lie":
            self._break()

    def _break(self) -> None:
        """End the connection without a word, as a lost network does."""
        self.close_connection = True
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def _json(self, document: object) -> None:
        self._answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        # A small buffer, so that bytes count as sent only when the other side has taken them.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that the tests break are no news."""


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """A hub at two ports: ``url`` and, another origin with the same files, ``elsewhere``."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    servers = [_Server(("127.0.0.1", 0), handler) for _ in range(2)]
    hub.url, hub.elsewhere = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
