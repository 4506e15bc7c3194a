"""Reads server-sent events as they arrive: bytes in, the data of whole events out.

It knows lines, comments and fields of the event stream (HTML Living Standard, "Server-sent
events", 9.2.6); it knows no socket and no meaning of what the events carry.
"""

from __future__ import annotations

import codecs

from metier.errors import UnavailableError

LONGEST_EVENT = 8_000_000
"""Characters that may stand unread: a service that never ends a line is not one."""


class EventReader:
    """Takes bytes in any portions; gives the ``data`` of each event once it is complete.

    Lines end in CRLF, LF or CR. Comments, ``event``, ``id`` and ``retry`` are passed over.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._skip_line_feed = False
        self._data: list[str] = []
        self._size = 0

    def feed(self, portion: bytes) -> list[str]:
        """The data of the events that this portion completes.

        Raises:
            UnavailableError: An event is longer than ``LONGEST_EVENT``.
        """
        return self._take(self._decoder.decode(portion))

    def end(self) -> list[str]:
        """What was complete but for its empty line when the stream ended."""
        found = self._take(self._decoder.decode(b"", final=True) + "\n\n")
        self._skip_line_feed = False
        return found

    def _take(self, text: str) -> list[str]:
        if self._skip_line_feed and text:
            # The line ended with the CR of the last portion.
            text = text.removeprefix("\n")
            self._skip_line_feed = False
        self._skip_line_feed = text.endswith("\r")
        # Not splitlines: it would also part lines at characters that JSON may hold.
        lines = (self._rest + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = lines.pop()
        found = [data for line in lines if (data := self._line(line)) is not None]
        if len(self._rest) + self._size > LONGEST_EVENT:
            raise UnavailableError(
                f"The service sent an event of more than {LONGEST_EVENT:,} characters.",
                code="bad_service_answer",
            )
        return found

    def _line(self, line: str) -> str | None:
        if not line:
            data, self._data, self._size = self._data, [], 0
            return "\n".join(data) if data else None
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
            self._size += len(value)
        return None
