from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.errors import (
    CorruptError,
    InputError,
    MetierError,
    NotFoundError,
    StorageError,
    UnavailableError,
)
from metier.hub import Manner, Origin, Patience, RemoteFile, fetched, partial
from metier.hub.addresses import Kind
from metier.messages import Progress
from stand_in.hub import TOKEN, Fault, Hub, serving_hub

SIZE = 3_000_000
DATA = random.Random(7).randbytes(SIZE)
QUICK = Patience(connect=2.0, stall=0.4, attempts=4, pause=0.005, longest=3.0)
MANNER = Manner(patience=QUICK, connections=4, piece=512 << 10, noted=64 << 10)
NAME = "maker/model"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        found.add(NAME, {"model.gguf": DATA, "README.md": b"# A model\n"})
        yield found


def large(hub: Hub, data: bytes = DATA, path: str = "model.gguf") -> RemoteFile:
    url = f"{hub.url}/{NAME}/resolve/main/{path}"
    return RemoteFile(path, url, len(data), hashlib.sha256(data).hexdigest())


def pull(
    hub: Hub, folder: Path, *files: RemoteFile, token: str | None = None, **how: object
) -> bytes:
    """The bytes of the first file, fetched into ``folder``."""
    origin = Origin(hub.url, token)
    wanted = files or (large(hub),)
    with fetched(wanted, folder, origin, **{"manner": MANNER, **how}) as here:
        return here[wanted[0].path].read_bytes()


def left(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def test_a_file_comes_whole_in_parts_and_nothing_is_left_over(hub: Hub, tmp_path: Path) -> None:
    assert pull(hub, tmp_path) == DATA
    parts = [asked.extent for asked in hub.requests("/cdn/")]
    assert len(parts) == 7  # one byte to look, then six parts
    assert hub.sent_of(DATA) <= SIZE + 1
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "kind",
    ["cut", "reset", "stall", "drip", "range", "lie", "short", "long", "gzip", "empty", "status"],
)
def test_a_fault_that_passes_is_survived(hub: Hub, tmp_path: Path, kind: str) -> None:
    hub.faults = [Fault(kind, times=2)]
    assert pull(hub, tmp_path) == DATA
    assert all(fault.times == 0 for fault in hub.faults)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("reset", "hub_broke_off"),
        ("range", "bad_answer"),
        ("gzip", "bad_answer"),
        ("empty", "bad_answer"),
        ("status", "hub_failed"),
    ],
)
def test_a_fault_that_stays_is_an_error_and_nothing_has_a_name(
    hub: Hub, tmp_path: Path, kind: str, code: str
) -> None:
    hub.faults = [Fault(kind, times=10_000)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == code
    assert "" not in left(tmp_path)


@pytest.mark.parametrize("kind", ["range", "empty", "short", "status", "reset", "etag"])
def test_a_fault_in_the_first_answer_of_all_is_survived(
    hub: Hub, tmp_path: Path, kind: str
) -> None:
    hub.faults = [Fault(kind, times=1, probe=True)]
    assert pull(hub, tmp_path) == DATA


def test_another_size_than_the_hub_promised_is_an_error(hub: Hub, tmp_path: Path) -> None:
    promised = RemoteFile("m.gguf", large(hub).url, SIZE + 5, large(hub).sha256)
    with pytest.raises(CorruptError) as caught:
        pull(hub, tmp_path, promised)
    assert caught.value.code == "digest_mismatch"


def test_a_stall_is_noticed_and_then_an_error(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("stall", times=10_000, at=0)]
    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "hub_stalled"
    assert "0.4 s" in caught.value.message
    assert time.monotonic() - began < 10


def test_stalls_are_noticed_within_thirty_seconds_unless_told_otherwise() -> None:
    assert Patience().stall <= 30


def test_a_server_without_ranges_sends_the_whole(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("no ranges", times=0)]
    assert pull(hub, tmp_path) == DATA


def test_a_server_that_answers_200_for_206_is_taken_at_its_word(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("whole", times=1)]
    assert pull(hub, tmp_path) == DATA


def test_wrong_bytes_are_never_given_a_name(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("wrong", times=10_000)]
    with pytest.raises(CorruptError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "digest_mismatch"
    assert left(tmp_path) == []


def test_wrong_bytes_of_a_small_file_are_found_by_gits_name(hub: Hub, tmp_path: Path) -> None:
    data = b"# A model\n"
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    url = f"{hub.url}/{NAME}/resolve/main/README.md"
    assert pull(hub, tmp_path, RemoteFile("README.md", url, len(data), git_sha1=git)) == data
    with pytest.raises(CorruptError):
        pull(hub, tmp_path, RemoteFile("README.md", url, len(data), git_sha1="0" * 40))


def test_a_tag_that_changes_midway_begins_again(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("etag", times=1)]
    assert pull(hub, tmp_path) == DATA


def test_a_tag_that_always_changes_is_an_error(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("etag", times=10_000)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "source_changed"


def test_429_waits_as_long_as_it_is_told(hub: Hub, tmp_path: Path) -> None:
    waited: list[float] = []
    hub.faults = [Fault("status", status=429, headers={"Retry-After": "2"}, probe=True)]
    manner = Manner(QUICK, connections=1, pause=waited.append)
    assert pull(hub, tmp_path, manner=manner) == DATA
    assert sum(waited) == pytest.approx(2.0, abs=0.2)


def test_who_asks_for_an_hour_is_not_waited_for(hub: Hub, tmp_path: Path) -> None:
    slow = {"Retry-After": "3600"}
    hub.faults = [Fault("status", times=9, status=429, headers=slow, probe=True)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "hub_limited"
    assert len(hub.requests("/cdn/")) == 1


def test_the_credential_never_leaves_its_host(hub: Hub, tmp_path: Path) -> None:
    hub.redirect_to = hub.elsewhere
    hub.gated.add(NAME)
    assert pull(hub, tmp_path, token=TOKEN) == DATA
    home = int(hub.url.rsplit(":", 1)[1])
    there = [asked for asked in hub.asked if asked.port != home]
    assert there
    assert not [asked for asked in there if TOKEN in str(asked.headers)]
    assert [asked for asked in hub.asked if TOKEN in str(asked.headers)]


def test_a_loop_of_redirects_ends(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("loop", times=10_000, probe=True)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "bad_redirect"


@pytest.mark.parametrize("target", ["ftp://example.com/x", "http://[", "http://:80/"])
def test_a_redirect_to_nothing_is_an_error(hub: Hub, tmp_path: Path, target: str) -> None:
    hub.faults = [Fault("redirect", headers={"Location": target}, probe=True)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "bad_redirect"


def test_a_public_host_may_not_send_us_into_the_private_network(hub: Hub, tmp_path: Path) -> None:
    hub.redirect_to = hub.url.replace("127.0.0.1", "127.0.0.2")

    def kind(address: str) -> Kind:
        return "open" if address == "127.0.0.1" else "loopback"

    with (
        pytest.raises(UnavailableError) as caught,
        fetched([large(hub)], tmp_path, Origin(hub.url, kind=kind), manner=MANNER),
    ):
        pytest.fail("it went there")
    assert caught.value.code == "private_address"
    assert hub.requests("/cdn/") == []


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254", "http://10.0.0.1", "http://[fd00::1]"]
)
def test_a_mirror_on_this_machine_sends_us_to_this_machine_or_into_the_open(
    hub: Hub, tmp_path: Path, target: str
) -> None:
    hub.redirect_to = target
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "private_address"


@pytest.mark.parametrize(("status", "code"), [(401, "gated"), (403, "gated")])
def test_a_gated_file_is_named_so(hub: Hub, tmp_path: Path, status: int, code: str) -> None:
    hub.faults = [Fault("status", 99, "/resolve/", status, probe=True)]
    with pytest.raises(UnavailableError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == code
    assert "HF_TOKEN" in (caught.value.remedy or "")
    assert len(hub.asked) == 1


def test_a_file_that_is_gone_is_not_found(hub: Hub, tmp_path: Path) -> None:
    hub.repositories[NAME].clear()
    with pytest.raises(NotFoundError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "file_not_found"


def test_a_signed_address_that_expired_is_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [Fault("status", times=3, status=403)]
    assert pull(hub, tmp_path) == DATA
    assert len(hub.requests("/resolve/")) > 1


def test_nobody_there_is_an_error_of_the_network(tmp_path: Path) -> None:
    file = RemoteFile("model.gguf", "http://127.0.0.1:9/model.gguf", 5_000_000, "0" * 64)
    with (
        pytest.raises(UnavailableError) as caught,
        fetched([file], tmp_path, Origin(file.url), manner=MANNER),
    ):
        pytest.fail("it came from nowhere")
    assert caught.value.code == "hub_unreachable"


def test_a_name_that_nobody_knows_is_an_error_of_the_network(tmp_path: Path) -> None:
    file = RemoteFile("model.gguf", "http://nobody.invalid/model.gguf", 5_000_000, "0" * 64)
    with (
        pytest.raises(UnavailableError) as caught,
        fetched([file], tmp_path, Origin(file.url), manner=MANNER),
    ):
        pytest.fail("it came from nowhere")
    assert caught.value.code == "hub_unreachable"


def test_plain_http_where_tls_is_due_is_said(hub: Hub, tmp_path: Path) -> None:
    url = hub.url.replace("http://", "https://")
    file = RemoteFile("model.gguf", f"{url}/model.gguf", 5_000_000, "0" * 64)
    with (
        pytest.raises(UnavailableError) as caught,
        fetched([file], tmp_path, Origin(url), manner=MANNER),
    ):
        pytest.fail("it came without proof")
    assert caught.value.code == "tls_failed"


def test_a_disk_that_is_too_small_is_said_before_the_first_byte(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(partial.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(StorageError) as caught:
        pull(hub, tmp_path)
    assert caught.value.code == "disk_full"
    assert hub.sent_of(DATA) <= 1


def test_a_disk_that_fills_up_keeps_what_came(hub: Hub, tmp_path: Path) -> None:

    real = os.pwrite
    written = [0]

    def pwrite(descriptor: int, data: bytes, at: int) -> int:
        if written[0] > 1_000_000:
            raise OSError(28, os.strerror(28))
        written[0] += len(data)
        return real(descriptor, data, at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial.os, "pwrite", pwrite)
        with pytest.raises(StorageError) as caught:
            pull(hub, tmp_path)
    assert caught.value.code == "disk_full"
    sent = hub.sent_of(DATA)
    assert pull(hub, tmp_path) == DATA
    assert hub.sent_of(DATA) - sent < SIZE


def test_what_came_before_an_error_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    # After the first 40 requests of the sound kind the server fails for good, then comes back.
    hub.faults = [Fault("cut", times=3, at=200_000), Fault("status", times=8)]
    with pytest.raises(UnavailableError):
        pull(hub, tmp_path)
    hub.faults = []
    assert pull(hub, tmp_path) == DATA
    assert hub.sent_of(DATA) < SIZE + (1 << 20)


def test_a_mark_of_cancelling_ends_the_work_and_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    hub.rate = 4e6
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    with pytest.raises(InputError) as caught:
        pull(hub, tmp_path, cancelled=asked.is_set)
    assert caught.value.code == "cancelled"
    hub.rate = 0
    assert pull(hub, tmp_path) == DATA
    assert hub.sent_of(DATA) < SIZE + (2 << 20)


def test_progress_has_digest_total_and_completed(hub: Hub, tmp_path: Path) -> None:
    hub.rate = 2e6
    steps: list[Progress] = []
    pull(hub, tmp_path, report=steps.append)
    digest = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    assert {step.data["digest"] for step in steps} == {digest}
    assert {step.data["total"] for step in steps} == {SIZE}
    came = [step.data["completed"] for step in steps]
    assert came == sorted(came)
    assert came[-1] == SIZE
    assert steps[-1].stage == "check"
    assert any(step.seconds_left for step in steps)


def test_what_is_held_already_is_not_asked_for(hub: Hub, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(DATA)
    folder = tmp_path / "partial"
    folder.mkdir()
    assert pull(hub, folder, held=lambda _file: mine) == DATA
    assert hub.asked == []
    assert mine.exists()


def test_a_failing_look_at_a_small_file_spares_the_large_one(hub: Hub, tmp_path: Path) -> None:
    small = b"# A model\n"
    git = hashlib.sha1(b"blob %d\0" % len(small) + small, usedforsecurity=False).hexdigest()
    url = f"{hub.url}/{NAME}/resolve/main/README.md"
    files = [large(hub), RemoteFile("README.md", url, len(small), git_sha1=git)]

    def refuse(file: RemoteFile, _path: Path) -> None:
        raise InputError(f"{file.path} will not do.", code="remote_code")

    with pytest.raises(InputError):
        pull(hub, tmp_path, *files, arrived=refuse)
    assert hub.requests("/cdn/") == []


def test_sixteen_who_want_overlapping_files_fetch_each_once(hub: Hub, tmp_path: Path) -> None:
    datas = [random.Random(seed).randbytes(200_000) for seed in range(6)]
    hub.add(NAME, {f"{number}.gguf": data for number, data in enumerate(datas)})
    files = [large(hub, data, f"{number}.gguf") for number, data in enumerate(datas)]
    folder, store = tmp_path / "partial", tmp_path / "store"
    folder.mkdir()
    store.mkdir()
    failures: list[BaseException] = []

    def held(file: RemoteFile) -> Path | None:
        path = store / file.key
        return path if path.exists() else None

    def one(seed: int) -> None:
        chosen = random.Random(seed).sample(files, 3)
        try:
            with fetched(chosen, folder, Origin(hub.url), manner=MANNER, held=held) as here:
                for file in chosen:
                    if not (store / file.key).exists():
                        os.link(here[file.path], store / file.key)
        except MetierError as error:
            failures.append(error)

    crew = [threading.Thread(target=one, args=(seed,)) for seed in range(16)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(60)
    assert failures == []
    for file, data in zip(files, datas, strict=True):
        assert (store / file.key).read_bytes() == data
        assert hub.sent_of(data) <= len(data) + 1
    assert left(folder) == []


def test_without_a_digest_another_state_of_the_file_begins_anew(hub: Hub, tmp_path: Path) -> None:
    file = RemoteFile("model.gguf", f"{hub.url}/{NAME}/resolve/main/model.gguf")
    hub.faults = [Fault("cut", times=99, at=100_000)]
    hub.repositories[NAME]["model.gguf"] = DATA
    with pytest.raises(UnavailableError):
        pull(hub, tmp_path, file)
    hub.faults = []
    other = random.Random(8).randbytes(SIZE)
    hub.repositories[NAME]["model.gguf"] = other
    assert pull(hub, tmp_path, file) == other


def test_an_empty_file_is_a_file(hub: Hub, tmp_path: Path) -> None:
    hub.repositories[NAME]["empty.gguf"] = b""
    file = RemoteFile("empty.gguf", f"{hub.url}/{NAME}/resolve/main/empty.gguf")
    assert pull(hub, tmp_path, file) == b""


KILLED = """
import sys
from pathlib import Path
from metier.hub import Manner, Origin, RemoteFile, fetched
url, size, digest, folder, done = sys.argv[1:]
file = RemoteFile("model.gguf", url, int(size), digest)
with fetched([file], Path(folder), Origin(url)) as here:
    here["model.gguf"].rename(done)
"""


def test_twenty_kills_at_random_moments_lose_little_and_break_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    chance = random.Random(11)
    data = chance.randbytes(24 << 20)
    hub.repositories[NAME]["model.gguf"] = data
    hub.rate = 4e6
    file = large(hub, data)
    folder, done = tmp_path / "partial", tmp_path / "done"
    folder.mkdir()
    words = [sys.executable, "-c", KILLED, file.url, str(file.size), str(file.sha256)]
    kills = 0
    while kills < 20:
        process = subprocess.Popen([*words, str(folder), str(done)], stderr=subprocess.DEVNULL)
        try:
            process.wait(0.25 + chance.random() * 0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        if done.exists():
            assert hashlib.sha256(done.read_bytes()).hexdigest() == file.sha256
            done.unlink()
    hub.rate = 0
    last = subprocess.run([*words, str(folder), str(done)], check=False)
    assert last.returncode == 0
    assert hashlib.sha256(done.read_bytes()).hexdigest() == file.sha256
    wholes = hub.sent_of(data) // len(data)
    twice = hub.sent_of(data) - wholes * len(data)
    assert twice <= kills * (4 << 20)
