"""What is in a repository of the hub, asked by the hub's own client.

It is the only module that knows ``huggingface_hub``, which is used for questions and for the
token and for nothing else: no byte of a model passes through it, and it reports nothing home.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote

from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.hub.files import RemoteFile, Repository, as_git_sha1, as_sha256
from metier.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PUBLIC_ENDPOINT = "https://huggingface.co"
PAUSES = (0.5, 1.5)
"""Seconds before each further attempt, if the hub fails or cannot be reached."""
_SECONDS = 30.0
_MOST_FILES = 20_000
_COMMIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_quieted = threading.Lock()
T = TypeVar("T")


class _Listed(NamedTuple):
    """A file as the hub's client tells it, from whichever list."""

    path: str
    size: int | None
    blob_id: str | None
    lfs: Any


def stored_token() -> str | None:
    """The token that the hub's own client would send (``HF_TOKEN``, or ``hf auth login``)."""
    from huggingface_hub import get_token

    return get_token()


def ask_repository(
    repository: str, revision: str | None, *, endpoint: str = PUBLIC_ENDPOINT, token: str | None
) -> Repository:
    """The files of a repository at one commit, with their sizes and digests.

    Args:
        repository: ``owner/name``.
        revision: Branch, tag or commit; ``None`` is the main branch.
        endpoint: Base address of the hub.
        token: Sent to the endpoint and nobody else, or ``None``.

    Raises:
        NotFoundError: No such repository or revision (``no_repository``, ``no_revision``).
        UnavailableError: ``gated``, ``hub_unreachable``, ``hub_failed``, ``hub_limited``.
        InputError: The hub's answer is not usable (``bad_repository``).
    """
    api = _client(endpoint, token)
    name = repository + (f"@{revision}" if revision else "")
    info = _asked(name, lambda: api.model_info(repository, revision=revision, timeout=_SECONDS))
    commit = info.sha or revision or "main"
    if not _COMMIT.fullmatch(commit):
        _unusable(name, "the hub names no commit")
    try:
        listed = _asked(name, lambda: _tree(api, repository, commit))
    except NotFoundError:
        # A mirror that lists files only with the repository itself.
        full = _asked(name, lambda: _with_files(api, repository, revision))
        listed = [_Listed(one.rfilename, one.size, one.blob_id, one.lfs) for one in full]
    start = f"{endpoint.rstrip('/')}/{quote(repository, safe='/')}/resolve/{commit}/"
    files = tuple(_file(entry, start) for entry in listed)
    licence, base = (getattr(info.card_data, key, None) for key in ("license", "base_model"))
    base = base[0] if isinstance(base, list) and base else base
    return Repository(
        name=repository,
        commit=commit,
        files=files,
        licence=licence.lower()[:100] if isinstance(licence, str) else None,
        base=base[:200] if isinstance(base, str) else None,
    )


def ask_api(
    path: str, params: Mapping[str, Any], *, what: str, endpoint: str, token: str | None
) -> Any:
    """One answer of the hub's API as JSON; the client's own retries, half a minute, are left out.

    Args:
        path: Behind ``/api/``.
        params: The question.
        what: What is asked for, in errors.
        endpoint: Base address of the hub.
        token: Sent to the endpoint and nobody else, or ``None``.

    Raises:
        NotFoundError, UnavailableError, InputError: As ``ask_repository``.
    """
    from huggingface_hub import get_session
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, not exported
        build_hf_headers,
        hf_raise_for_status,
    )

    _quiet()
    headers = build_hf_headers(
        token=token or False, library_name="metier", library_version=__version__
    )
    url = f"{endpoint.rstrip('/')}/api/{path}"

    def ask() -> Any:
        response = get_session().get(url, params=dict(params), headers=headers, timeout=_SECONDS)
        hf_raise_for_status(response)
        return response.json()

    return _asked(what, ask)


def _quiet() -> None:
    from huggingface_hub import constants

    with _quieted:
        # Its constants are read from the environment when it is imported; these two are ours to
        # decide: nothing is reported, and it does not look up who drives it.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        constants.HF_HUB_DISABLE_XET = True


def _client(endpoint: str, token: str | None) -> HfApi:
    import huggingface_hub

    _quiet()
    return huggingface_hub.HfApi(
        endpoint=endpoint.rstrip("/"),
        token=token or False,
        library_name="metier",
        library_version=__version__,
    )


def _tree(api: HfApi, repository: str, commit: str) -> list[Any]:
    from huggingface_hub.hf_api import RepoFile

    entries = []
    for entry in api.list_repo_tree(repository, revision=commit, recursive=True):
        if isinstance(entry, RepoFile):
            entries.append(entry)
        if len(entries) > _MOST_FILES:
            _unusable(repository, f"it has more than {_MOST_FILES} files")
    return entries


def _with_files(api: HfApi, repository: str, revision: str | None) -> list[Any]:
    info = api.model_info(repository, revision=revision, files_metadata=True, timeout=_SECONDS)
    return list(info.siblings or ())[:_MOST_FILES]


def _file(entry: Any, start: str) -> RemoteFile:
    lfs = entry.lfs
    size = lfs.size if lfs is not None else entry.size
    return RemoteFile(
        path=_safe(entry.path),
        url=start + quote(entry.path, safe="/"),
        size=size if isinstance(size, int) and size >= 0 else None,
        sha256=as_sha256(lfs.sha256) if lfs is not None else None,
        git_sha1=as_git_sha1(entry.blob_id) if lfs is None else None,
    )


def _safe(path: str) -> str:
    parts = path.split("/")
    if not path or len(path) > 400 or any(part in ("", ".", "..") for part in parts):
        _unusable(path[:80], "a file's path leaves its folder")
    return path


def _asked(name: str, question: Callable[[], T]) -> T:
    """The answer; what may pass is asked again, and the client's own errors become ours."""
    for pause in PAUSES:
        try:
            return _once(name, question)
        except UnavailableError as error:
            if not error.retryable:
                raise
        time.sleep(pause)
    return _once(name, question)


def _once(name: str, question: Callable[[], T]) -> T:
    from huggingface_hub import errors

    try:
        return question()
    except errors.GatedRepoError as error:
        raise gated(name) from error
    except errors.RevisionNotFoundError as error:
        raise NotFoundError(
            f"{name} is no revision of that repository.",
            code="no_revision",
            remedy="Name a branch, a tag or a commit that its page shows.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise NotFoundError(
            f"The hub has no repository {name}, or shows it only to its members.",
            code="no_repository",
            remedy="Check the spelling. For a private one set HF_TOKEN or run 'hf auth login'.",
        ) from error
    except errors.HfHubHTTPError as error:
        raise _refused(name, error.response.status_code) from error
    except errors.HFValidationError as error:
        raise _not_usable(name, "the hub's client does not take its name") from error
    except errors.HTTPError as error:  # type: ignore[attr-defined]  # its HTTP library's own
        raise _unreachable(name, str(error)) from error
    except (OSError, errors.OfflineModeIsEnabled) as error:
        raise _unreachable(name, str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_usable(name, f"its answer is odd ({type(error).__name__})") from error


def gated(name: str) -> UnavailableError:
    """The error for files that their owner gives to those who asked."""
    return UnavailableError(
        f"{name} is gated: its owner gives it only to accounts that accepted its terms.",
        code="gated",
        remedy="Accept the terms on its page, then set HF_TOKEN to a token of that account or "
        "run 'hf auth login'.",
    )


def _refused(name: str, status: int) -> MetierError:
    if status in (401, 403):
        return UnavailableError(
            f"The hub refuses {name} (HTTP {status}).",
            code="hub_refused",
            remedy="Set HF_TOKEN to a valid token that may read it, or unset a stale one.",
        )
    if status == 404:
        return NotFoundError(f"The hub does not say what is in {name}.", code="no_repository")
    limited = status == 429
    return UnavailableError(
        f"The hub could not say what is in {name} (HTTP {status}).",
        code="hub_limited" if limited else "hub_failed",
        remedy="Do it again in a minute.",
        retryable=limited or status >= 500,
    )


def _unreachable(name: str, why: str) -> UnavailableError:
    return UnavailableError(
        f"The hub cannot be reached to ask for {name}: {why[:200] or 'no connection'}",
        code="hub_unreachable",
        remedy="Check the network; what is installed works without it. A file that is here can "
        "be pulled by its path.",
        retryable=True,
    )


def _unusable(name: str, why: str) -> NoReturn:
    raise _not_usable(name, why)


def _not_usable(name: str, why: str) -> InputError:
    return InputError(f"{name} cannot be pulled: {why}.", code="bad_repository")
