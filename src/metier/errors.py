"""Every error that Metier raises on purpose, in one tree.

It knows what a caller can tell apart and what a person can do about it; it does not know HTTP
statuses or exit codes: the interfaces translate ``code`` into those.

    MetierError
    ├── InputError          the user's data, arguments or recipe are wrong
    │   └── NotFoundError   a name, file or digest that is not there
    ├── DidNotPassError     a LOSS, a failed verify: the work was done, the answer is no
    ├── UnavailableError    the network, a peer, or an optional part is missing
    ├── StorageError        the disk or the store: full, locked, corrupt
    │   └── CorruptError    bytes that do not have the digest they are filed under
    └── InternalError       ours: a defect worth a report
"""

from __future__ import annotations

from typing import Any


class MetierError(Exception):
    """What went wrong, where, and how to mend it.

    Args:
        message: One sentence: what was wrong and where.
        code: A stable snake_case identifier that programs may test.
        remedy: What to do about it, or ``None`` if nothing helps.
        retryable: Whether the same call may succeed later without a change.
        details: Facts for programs (row numbers, names); JSON-serialisable.
    """

    default_code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        remedy: str | None = None,
        retryable: bool = False,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.remedy = remedy
        self.retryable = retryable
        self.details = details or {}

    def as_dict(self) -> dict[str, Any]:
        """The error as a JSON-serialisable mapping (message, code, remedy, retryable, details)."""
        return {
            "message": self.message,
            "code": self.code,
            "remedy": self.remedy,
            "retryable": self.retryable,
            "details": self.details,
        }


class InputError(MetierError):
    """The user's data, arguments, names or recipe are wrong."""

    default_code = "bad_input"


class NotFoundError(InputError):
    """A name, file or digest that is not there."""

    default_code = "not_found"


class DidNotPassError(MetierError):
    """The work was done and the answer is no: a LOSS, a failed verification."""

    default_code = "did_not_pass"


class UnavailableError(MetierError):
    """The network, a peer or an optional part is not available."""

    default_code = "unavailable"


class StorageError(MetierError):
    """The disk or the store: full, locked, not writable."""

    default_code = "storage"


class CorruptError(StorageError):
    """Bytes that do not have the digest they are filed under, or a broken index."""

    default_code = "corrupt"


class InternalError(MetierError):
    """A defect of Metier itself."""

    default_code = "internal"
