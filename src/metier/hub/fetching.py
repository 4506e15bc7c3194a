"""Fetches files into a folder: in parts side by side, resumable, proved, durable.

It puts together one file's requests (``requesting``) and its bytes here (``partial``); it knows
retries, pieces and progress. What the files mean and where they go afterwards it does not know.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from metier.errors import CorruptError, InputError, InternalError, MetierError, UnavailableError
from metier.hub import extents, partial
from metier.hub.extents import Extent
from metier.hub.files import RemoteFile
from metier.hub.partial import Identity, Partial
from metier.hub.requesting import Facts, NoRangesError, Origin, Patience, Requests, TryAgain
from metier.messages import Progress, Report, silent

T = TypeVar("T")
Cancelled = Callable[[], bool]
Arrived = Callable[[RemoteFile, Path], None]
"""Looks at a file once it is whole; what it raises ends the work. Small files come first."""
Held = Callable[[RemoteFile], Path | None]
"""Where a file already lies on this machine, proved, or ``None``."""

PIECE = 16 << 20
"""Bytes of one request at most."""
NOTED = 256 << 10
"""Bytes that a connection gathers before they are written and noted: what a kill can lose."""
CONNECTIONS = 8
SMALL = 1 << 20
"""A file up to here is fetched by one plain request."""
_TICK = 0.1
_LAST_WORDS = 0.5
_AGAIN = 2
_RECENT = 5.0
_PIECES_EACH = 4


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are fetched.

    Attributes:
        patience: With a server that is slow or fails.
        connections: Requests at once.
        piece: Bytes of one request at most.
        noted: Bytes between two lines of the journal, for each connection.
        pause: Waits so many seconds, and may return early; tests give their own.
    """

    patience: Patience = field(default_factory=Patience)
    connections: int = CONNECTIONS
    piece: int = PIECE
    noted: int = NOTED
    pause: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Tally:
    """Bytes and speed over all files of one pull; for progress."""

    total: int
    report: Report
    completed: int = 0
    fetched: int = 0
    clock: Callable[[], float] = time.monotonic
    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def tell(
        self, file: RemoteFile, size: int, done: int, came: int, *, stage: str = "pull"
    ) -> None:
        """Report where one file and the whole stand; ``came``: bytes that were not here before."""
        speed = self._speed(self.fetched + max(0, came))
        there = min(self.total, self.completed + done)
        left = (self.total - there) / speed if speed > 0 else None
        digest = file.sha256 or file.key
        words = "verifying sha256 digest" if stage == "check" else f"pulling {digest[:12]}"
        self.report(
            Progress(
                stage,
                words,
                fraction=there / self.total if self.total else None,
                seconds_left=left if stage == "pull" else None,
                data={
                    "file": file.path,
                    "digest": f"sha256:{digest}",
                    "total": size,
                    "completed": done,
                    "bytes_per_second": round(speed),
                    "whole_total": self.total,
                    "whole_completed": there,
                },
            )
        )

    def _speed(self, fetched: int) -> float:
        """Bytes a second over the last seconds, so that a stall shows."""
        now = self.clock()
        self.seen.append((now, fetched))
        while len(self.seen) > 2 and now - self.seen[1][0] >= _RECENT:
            self.seen.popleft()
        since, before = self.seen[0]
        return (fetched - before) / (now - since) if now > since else 0.0


@contextmanager
def fetched(
    files: Sequence[RemoteFile],
    folder: Path,
    origin: Origin,
    *,
    held: Held = lambda _file: None,
    arrived: Arrived = lambda _file, _path: None,
    manner: Manner = Manner(),
    report: Report = silent,
    cancelled: Cancelled = lambda: False,
) -> Iterator[Mapping[str, Path]]:
    """Path to file on this machine, for the length of the block; then what was fetched is removed.

    Each file is locked while it is fetched and until the block ends, so that of several processes
    that want it one fetches it; the others then ask ``held`` again. If the block or a download
    fails, what has come so far stays in ``folder`` and the next call goes on from there.

    Args:
        files: What is wanted.
        folder: Where partial files are kept; it exists.
        origin: Whose files they are, and the token for it.
        held: Says what is here already.
        arrived: Looks at each file that was fetched, before the larger ones are.
        manner: How to fetch.
        report: Receives ``Progress``, its message in Ollama's words, with ``data`` = file, digest,
            total, completed, bytes_per_second.
        cancelled: Asked often; ends the work.

    Raises:
        UnavailableError: ``hub_unreachable``, ``hub_stalled``, ``hub_broke_off``, ``hub_failed``,
            ``hub_limited``, ``gated``, ``bad_answer``, ``bad_redirect``, ``private_address``,
            ``tls_failed``, ``source_changed``.
        NotFoundError: The file is gone (``file_not_found``).
        CorruptError: The bytes do not have their digest (``digest_mismatch``); none is kept.
        StorageError: ``disk_full``, ``not_writable``.
        InputError: ``cancelled``.
    """
    with ExitStack() as stack:
        # In one order for everybody, so that nobody waits in a circle.
        for key, file in sorted({file.key: file for file in files}.items()):
            stack.enter_context(
                partial.holding(folder, key, waiting=_waiting(file, report), cancelled=cancelled)
            )
        here = {file.path: found for file in files if (found := held(file)) is not None}
        wanted = [file for file in files if file.path not in here]
        tally = Tally(sum(file.size or 0 for file in wanted), report)
        requests = Requests(origin, manner.patience, connections=manner.connections + 1)
        stack.callback(requests.close)
        for file in sorted(wanted, key=lambda file: file.size or 0):
            one = _Fetch(file, folder, requests, manner, tally, cancelled)
            here[file.path] = one.path()
            arrived(file, here[file.path])
        yield here
        for file in wanted:
            partial.clear(folder, file.key)


def _waiting(file: RemoteFile, report: Report) -> Callable[[], None]:
    def tell() -> None:
        report(Progress("wait", f"waiting for another process that pulls {file.filename}"))

    return tell


class _Fetch:
    """One file, until it is whole."""

    def __init__(
        self,
        file: RemoteFile,
        folder: Path,
        requests: Requests,
        manner: Manner,
        tally: Tally,
        cancelled: Cancelled,
    ) -> None:
        self._file, self._folder, self._requests = file, folder, requests
        self._manner, self._tally, self._cancelled = manner, tally, cancelled
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._stop = threading.Event()
        self._failures = 0

    def path(self) -> Path:
        """Fetch what is missing, prove the whole and return where it lies."""
        for attempt in range(_AGAIN + 1):
            try:
                return self._fresh()._once()
            except MetierError as error:
                again = error.code == "source_changed" or (
                    error.code == "digest_mismatch" and error.details.get("resumed")
                )
                if not again or attempt == _AGAIN:
                    raise
        raise InternalError(f"{self._file.path} was given up without a reason.")

    def _fresh(self) -> _Fetch:
        """The same file from the start: threads that were left behind stay stopped."""
        return _Fetch(
            self._file, self._folder, self._requests, self._manner, self._tally, self._cancelled
        )

    def _once(self) -> Path:
        file = self._file
        small = file.size is not None and file.size <= SMALL and bool(file.sha256 or file.git_sha1)
        facts = Facts(file.url, file.size, None, None, ranges=False)
        if not small:
            facts = self._retried(self._looked)
        self._facts = facts
        digest = file.sha256 or facts.sha256
        size = facts.size if facts.size is not None else file.size
        if size is None:
            raise UnavailableError(
                f"The server does not say how long {file.filename} is.",
                code="bad_answer",
                remedy="Fetch it by other means and pull it by its path.",
            )
        identity = Identity.of(size, facts.etag, digest or file.git_sha1)
        if (found := partial.finished(self._folder, file.key, identity)) is not None:
            return found
        with self._opened(identity) as part:
            self._fill(part, facts, size)
            return self._proved(part, digest)

    def _looked(self) -> Facts:
        """What the server says of the file; raises TryAgain if that is not what was promised."""
        facts = self._requests.facts(self._file.url)
        if None not in (facts.size, self._file.size) and facts.size != self._file.size:
            error = CorruptError(
                f"{self._file.path} has {facts.size} bytes where {self._file.size} were promised.",
                code="digest_mismatch",
                remedy="Do it again later: the repository may be changing.",
            )
            raise TryAgain(error)
        return facts

    @contextmanager
    def _opened(self, identity: Identity) -> Iterator[Partial]:
        part = Partial(self._folder, self._file.key, identity)
        try:
            partial.require_space(self._folder, identity.size - part.done)
            yield part
        finally:
            part.close()

    def _fill(self, part: Partial, facts: Facts, size: int) -> None:
        if facts.ranges and size > 0:
            try:
                self._in_pieces(part, size)
            except NoRangesError:
                self._fresh()._whole(part, facts)
        elif size > 0 and part.missing():
            self._whole(part, facts)

    def _in_pieces(self, part: Partial, size: int) -> None:
        pieces: queue.SimpleQueue[Extent] = queue.SimpleQueue()
        wanted = extents.cut(part.missing(), self._length(part))
        for piece in wanted:
            pieces.put(piece)
        errors: list[Exception] = []
        crew = [
            threading.Thread(
                target=self._work, args=(part, pieces, errors), name="fetch", daemon=True
            )
            for _ in range(min(self._manner.connections, len(wanted)))
        ]
        for worker in crew:
            worker.start()
        try:
            self._attend(part, crew, size)
        finally:
            stopped = self._stop.is_set() or self._cancelled()
            self._stop.set()
            until = time.monotonic() + _LAST_WORDS
            for worker in crew:
                # One that waits for a silent server is left behind; it can write no more.
                worker.join(max(0.0, until - time.monotonic()))
            self._tally.fetched += part.done - part.resumed
        if errors:
            raise errors[0]
        if stopped:
            self._check_stopped()

    def _length(self, part: Partial) -> int:
        """Of a piece: several for each connection, so that all of them end at about one time."""
        wanted = part.identity.size - part.done
        share = wanted // (self._manner.connections * _PIECES_EACH) + 1
        return max(min(self._manner.piece, share), min(SMALL, self._manner.piece))

    def _attend(self, part: Partial, crew: Sequence[threading.Thread], size: int) -> None:
        """Tell how far it is and take what came into the digest, until the crew ends."""
        spoke = 0.0
        while not self._stop.is_set() and not self._cancelled():
            waiting = next((worker for worker in crew if worker.is_alive()), None)
            if waiting is None:
                break
            if not part.hash_on():
                waiting.join(_TICK)
            if time.monotonic() - spoke >= _TICK:
                spoke = time.monotonic()
                self._tell(part, size)
        self._tell(part, size)

    def _work(
        self, part: Partial, pieces: queue.SimpleQueue[Extent], errors: list[Exception]
    ) -> None:
        try:
            while not self._stop.is_set():
                self._piece(part, pieces.get_nowait())
        except queue.Empty:
            return
        except Exception as error:  # noqa: BLE001  handed to the thread that waits, which raises it
            errors.append(error)
            self._stop.set()

    def _piece(self, part: Partial, piece: Extent) -> None:
        at, stop = piece

        def read() -> None:
            nonlocal at
            facts = self._known()
            with self._requests.part(facts.location, (at, stop), facts) as body:
                for data in self._gathered(body):
                    part.write(at, data)
                    at += len(data)
                    self._progressed()

        while at < stop:
            self._retried(read, refresh=True)

    def _whole(self, part: Partial, facts: Facts) -> None:
        size = part.identity.size

        def read() -> None:
            at = 0
            with self._requests.whole(facts.location, facts) as body:
                for data in self._gathered(body):
                    part.write(at, data)
                    at += len(data)
                    self._tell(part, size)
            if at < size:
                raise TryAgain(_short(self._file, at, size))

        self._retried(read)
        self._tally.fetched += part.done - part.resumed

    def _gathered(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """The body in pieces worth noting; what came before an error comes out first."""
        gathered: list[bytes] = []
        length = 0
        try:
            for data in body:
                gathered.append(data)
                length += len(data)
                if length >= self._manner.noted:
                    yield b"".join(gathered)
                    gathered, length = [], 0
                self._check_stopped()
        except TryAgain:
            if gathered:
                yield b"".join(gathered)
            raise
        if gathered:
            yield b"".join(gathered)

    def _check_stopped(self) -> None:
        if self._stop.is_set() or self._cancelled():
            raise InputError(
                f"Fetching {self._file.filename} was stopped.",
                code="cancelled",
                remedy="Do it again: it goes on where it stopped.",
            )

    def _known(self) -> Facts:
        with self._lock:
            if self._facts is None:
                self._facts = self._looked()
            return self._facts

    def _retried(self, act: Callable[[], T], *, refresh: bool = False) -> T:
        """The result of ``act``, tried again while its failures may pass."""
        patience = self._manner.patience
        while True:
            self._check_stopped()
            try:
                return act()
            except TryAgain as again:
                with self._lock:
                    self._failures += 1
                    failures = self._failures
                    if refresh and failures % 2 == 0:
                        # The address may have been signed for a while only.
                        self._facts = None
                wait = patience.pause * 2 ** (failures - 1) * random.uniform(0.5, 1.0)  # noqa: S311
                wait = min(wait, patience.longest) if again.wait is None else again.wait
                if failures >= patience.attempts or wait > patience.longest:
                    raise again.error from again
                self._rest(wait)

    def _rest(self, seconds: float) -> None:
        until = seconds
        while until > 0:
            self._check_stopped()
            self._manner.pause(min(_TICK, until))
            until -= _TICK

    def _progressed(self) -> None:
        if self._failures:
            with self._lock:
                self._failures = 0

    def _tell(self, part: Partial, size: int) -> None:
        self._tally.tell(self._file, size, part.done, part.done - part.resumed)

    def _proved(self, part: Partial, digest: str | None) -> Path:
        file = self._file
        self._tally.tell(file, part.identity.size, part.done, 0, stage="check")
        self._tally.completed += part.identity.size
        if digest is not None:
            right = part.digest(self._cancelled) == digest
        elif file.git_sha1 is not None:
            right = part.digest(self._cancelled, as_git=True) == file.git_sha1
        else:
            right = True
        if not right:
            part.discard()
            raise CorruptError(
                f"The bytes of {file.path} do not have the digest that their source promises; "
                "they were thrown away.",
                code="digest_mismatch",
                remedy="Do it again; if it stays so, something between here and there changes "
                "what it sends.",
                details={"file": file.path, "resumed": part.resumed > 0},
            )
        return part.finish()


def _short(file: RemoteFile, came: int, size: int) -> UnavailableError:
    return UnavailableError(
        f"{file.filename} ended after {came} of {size} bytes.",
        code="hub_broke_off",
        remedy="Do it again.",
        retryable=True,
    )
