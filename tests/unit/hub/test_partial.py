from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from metier.errors import InputError, StorageError
from metier.hub import partial
from metier.hub.partial import Identity, Partial, clear, finished, holding

KEY = "k" * 64
DATA = bytes(range(250)) * 4
DIGEST = hashlib.sha256(DATA).hexdigest()
WHOLE = Identity.of(len(DATA), None, DIGEST)


def never() -> bool:
    return False


def test_what_was_written_is_there_the_next_time(tmp_path: Path) -> None:
    first = Partial(tmp_path, KEY, WHOLE)
    first.write(0, DATA[:100])
    first.write(300, DATA[300:500])
    first.close()
    second = Partial(tmp_path, KEY, WHOLE)
    assert second.resumed == 300
    assert second.missing() == [(100, 300), (500, 1000)]
    for start, stop in second.missing():
        second.write(start, DATA[start:stop])
    assert second.digest(never) == DIGEST
    assert second.finish() == tmp_path / KEY
    second.close()
    assert (tmp_path / KEY).read_bytes() == DATA
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o444
    assert finished(tmp_path, KEY, WHOLE) == tmp_path / KEY
    assert finished(tmp_path, KEY, Identity.of(999, None, DIGEST)) is None
    clear(tmp_path, KEY)
    assert list(tmp_path.iterdir()) == []


def test_bytes_of_another_file_are_thrown_away(tmp_path: Path) -> None:
    first = Partial(tmp_path, KEY, WHOLE)
    first.write(0, DATA[:100])
    first.close()
    second = Partial(tmp_path, KEY, Identity.of(len(DATA), None, "0" * 64))
    assert second.done == 0
    second.close()


@pytest.mark.parametrize(("etag", "kept"), [("one", 100), (None, 0)])
def test_without_a_digest_the_tag_says_whose_bytes_they_are(
    tmp_path: Path, etag: str | None, kept: int
) -> None:
    first = Partial(tmp_path, KEY, Identity.of(1000, etag, None))
    first.write(0, DATA[:100])
    first.close()
    second = Partial(tmp_path, KEY, Identity.of(1000, etag, None))
    assert second.done == kept
    second.close()


def test_without_a_digest_bytes_from_before_a_power_cut_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Partial(tmp_path, KEY, Identity.of(1000, "one", None))
    first.write(0, DATA[:100])
    first.close()
    monkeypatch.setattr(partial, "_boot", lambda: "another run of the machine")
    second = Partial(tmp_path, KEY, Identity.of(1000, "one", None))
    assert second.done == 0
    second.close()


@pytest.mark.parametrize("spoiled", [b"", b"{", b"\xff\xfe\n", b'{"size": 1}\n', b"null\n"])
def test_a_journal_that_says_nothing_begins_anew(tmp_path: Path, spoiled: bytes) -> None:
    first = Partial(tmp_path, KEY, WHOLE)
    first.write(0, DATA[:100])
    first.close()
    (tmp_path / f"{KEY}.journal").write_bytes(spoiled)
    second = Partial(tmp_path, KEY, WHOLE)
    assert second.done == 0
    second.close()


def test_a_torn_last_line_is_not_believed(tmp_path: Path) -> None:
    first = Partial(tmp_path, KEY, WHOLE)
    first.write(0, DATA[:100])
    first.close()
    journal = tmp_path / f"{KEY}.journal"
    journal.write_bytes(journal.read_bytes() + b"100 9")
    second = Partial(tmp_path, KEY, WHOLE)
    assert second.done == 100
    second.write(100, DATA[100:200])
    second.close()


def test_what_the_journal_promises_outside_the_file_is_not_believed(tmp_path: Path) -> None:
    first = Partial(tmp_path, KEY, WHOLE)
    first.write(0, DATA[:100])
    first.close()
    journal = tmp_path / f"{KEY}.journal"
    journal.write_bytes(journal.read_bytes() + b"-5 10\n900 5000\n70 60\n")
    second = Partial(tmp_path, KEY, WHOLE)
    assert second.done == 100
    second.close()


def test_git_has_its_own_name_for_a_file(tmp_path: Path) -> None:
    part = Partial(tmp_path, KEY, Identity.of(3, None, "x"))
    part.write(0, b"hi\n")
    assert part.digest(never, as_git=True) == "45b983be36b73c0788dc9cbcb76cbb80fc7bb057"
    part.close()
    with pytest.raises(InputError):
        part.write(0, b"ho\n")


def test_the_digest_grows_with_the_file_and_begins_anew_if_bytes_change(tmp_path: Path) -> None:
    part = Partial(tmp_path, KEY, WHOLE)
    part.write(500, DATA[500:])
    assert not part.hash_on(least=1)
    part.write(0, b"x" * 500)
    assert part.hash_on(least=1)
    assert part.digest(never) != DIGEST
    part.write(0, DATA[:500])
    with pytest.raises(InputError):
        part.digest(lambda: True)
    assert part.digest(never) == DIGEST
    part.close()


def test_one_at_a_time_holds_a_file(tmp_path: Path) -> None:
    order: list[str] = []
    waited = threading.Event()

    def second() -> None:
        with holding(tmp_path, KEY, waiting=waited.set, cancelled=never):
            order.append("second")

    with holding(tmp_path, KEY, waiting=lambda: None, cancelled=never):
        other = threading.Thread(target=second)
        other.start()
        assert waited.wait(5)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    with (
        holding(tmp_path, KEY, waiting=lambda: None, cancelled=never),
        pytest.raises(InputError) as caught,
        holding(tmp_path, KEY, waiting=lambda: None, cancelled=lambda: True),
    ):
        pytest.fail("it did not wait")
    assert caught.value.code == "cancelled"


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Partial(tmp_path / "nowhere", KEY, WHOLE)
    started = time.monotonic()
    with (
        pytest.raises(StorageError),
        holding(tmp_path / "nowhere", KEY, waiting=lambda: None, cancelled=never),
    ):
        pytest.fail("there is nothing to hold")
    assert time.monotonic() - started < 1
