"""Rows are the same bytes whichever way they come, and a broken way leaves nothing behind."""

import errno
import gzip
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from metier.datasets import sources
from metier.datasets.sources import resolve
from metier.errors import InputError, MetierError, NotFoundError, StorageError, UnavailableError
from metier.recipe import DataPart

CSV = b"text,category\nwhere is it,lost\n"
ROWS = b'{"text": "where is it", "label": "lost", "split": "train"}\n'


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def place(tmp_path):
    """Folders for a recipe, a mirror and a cache."""
    for name in ("recipe", "mirror", "cache"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def upstream(tmp_path):
    work = tmp_path / "upstream"
    (work / "data").mkdir(parents=True)
    (work / "data" / "train.csv").write_bytes(CSV)
    (work / "plain.jsonl").write_bytes(ROWS)
    run = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*run, "init", "--quiet"], check=True)
    subprocess.run([*run, "add", "."], check=True)
    subprocess.run([*run, "commit", "--quiet", "-m", "one"], check=True)
    commit = subprocess.run([*run, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return {"kind": "git", "url": work.as_uri(), "commit": commit.stdout.strip()}


def banking(upstream, **changes):
    files = [{"path": "data/train.csv", "sha256": sha256(CSV)}]
    fields = {"converter": "banking77-csv-v1", "files": files, "rows_sha256": sha256(ROWS)}
    return DataPart.model_validate(upstream | fields | changes)


def get(part, place, *, mirror=True, **options):
    return resolve(
        part,
        folder=place / "recipe",
        mirror=place / "mirror" if mirror else None,
        cache=place / "cache",
        **options,
    )


def left_in(cache):
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file())


def test_a_repository_gives_canonical_rows_and_the_cache_then_keeps_them(place, upstream):
    seen = []
    first = get(banking(upstream), place, report=seen.append)
    assert (first.origin, first.canonical, first.sha256) == ("git", True, sha256(ROWS))
    assert first.path.read_bytes() == ROWS
    assert upstream["url"] in seen[0].message
    (place / "upstream" / ".git").rename(place / "gone")
    second = get(banking(upstream), place)
    assert (second.origin, second.path) == ("cache", first.path)
    assert left_in(place / "cache") == [f"rows/{sha256(ROWS)}.jsonl"]


def test_a_mirror_is_searched_by_digest_before_anything_else(place, upstream):
    (place / "mirror" / "deep").mkdir()
    (place / "mirror" / "deep" / "any-name.jsonl").write_bytes(ROWS)
    (place / "mirror" / "other.jsonl").write_bytes(b"{}\n")
    unreachable = upstream | {"url": "https://127.0.0.1:9/a/b"}
    found = get(banking(unreachable), place)
    assert (found.origin, found.path.name) == ("mirror", "any-name.jsonl")


def test_packed_rows_of_a_mirror_are_found_by_what_is_inside(place, upstream):
    packed = place / "mirror" / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(ROWS))
    rows = get(banking(upstream), place)
    assert rows.origin == "mirror"
    assert rows.path.read_bytes() == ROWS
    assert rows.path.parent == place / "cache" / "rows"
    packed.write_bytes(gzip.compress(ROWS)[:-9])
    assert get(banking(upstream), place).origin == "cache"


def test_the_mirror_is_hashed_once_and_again_when_a_file_changes(place, upstream, monkeypatch):
    target = place / "mirror" / "a.jsonl"
    target.write_bytes(b"{}\n")
    hashed = []
    real = sources.file_sha256
    monkeypatch.setattr(sources, "file_sha256", lambda path: hashed.append(path.name) or real(path))
    assert get(banking(upstream), place).origin == "git"
    assert hashed.count("a.jsonl") == 1
    assert get(banking(upstream), place).origin == "cache"
    assert hashed.count("a.jsonl") == 1
    target.write_bytes(ROWS)
    assert get(banking(upstream), place).origin == "mirror"


def test_a_mirror_file_that_changed_behind_its_size_and_time_is_not_used(place, upstream):
    target = place / "mirror" / "a.jsonl"
    target.write_bytes(ROWS)
    os.utime(target, ns=(1, 1))
    assert get(banking(upstream), place).origin == "mirror"
    target.write_bytes(ROWS.replace(b"lost", b"tsol"))
    os.utime(target, ns=(1, 1))
    assert get(banking(upstream), place).origin == "git"


def test_links_and_hidden_files_of_a_mirror_are_passed_over(place, upstream):
    outside = place / "outside.jsonl"
    outside.write_bytes(ROWS)
    (place / "mirror" / "link.jsonl").symlink_to(outside)
    (place / "mirror" / ".hidden.jsonl").write_bytes(ROWS)
    assert get(banking(upstream), place).origin == "git"


def test_a_damaged_index_is_made_anew(place, upstream):
    (place / "cache" / "mirror.json").write_text("[oops")
    (place / "mirror" / "a.jsonl").write_bytes(ROWS)
    assert get(banking(upstream), place).origin == "mirror"
    assert sha256(ROWS) in json.loads((place / "cache" / "mirror.json").read_text()).values()


def test_a_mirror_that_is_not_a_folder_is_said(place, upstream):
    (place / "mirror").rmdir()
    with pytest.raises(NotFoundError, match="mirror"):
        get(banking(upstream), place)


def test_a_damaged_copy_in_the_cache_is_replaced(place, upstream):
    kept = get(banking(upstream), place).path
    kept.write_bytes(b"rotten")
    assert get(banking(upstream), place).origin == "git"
    assert kept.read_bytes() == ROWS


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"files": [{"path": "data/train.csv", "sha256": "0" * 64}]}, "data/train.csv"),
        ({"rows_sha256": "1" * 64}, "the rows of"),
    ],
)
def test_wrong_bytes_are_refused_with_both_digests_and_nothing_is_kept(
    place, upstream, changes, what
):
    with pytest.raises(InputError) as caught:
        get(banking(upstream, **changes), place, mirror=False)
    assert caught.value.code == "wrong_sha256"
    assert what in caught.value.message
    expected, got = caught.value.details["expected"], caught.value.details["got"]
    assert expected in caught.value.message
    assert got in caught.value.message
    assert left_in(place / "cache") == []


def test_a_missing_upstream_path_names_path_and_commit(place, upstream):
    files = [{"path": "data/nothing.csv", "sha256": "0" * 64}]
    with pytest.raises(NotFoundError) as caught:
        get(banking(upstream, files=files), place)
    assert caught.value.code == "no_upstream_path"
    assert "data/nothing.csv" in caught.value.message
    assert upstream["commit"][:12] in caught.value.message


def test_offline_is_retryable_and_leaves_nothing(place, upstream):
    part = banking(upstream | {"url": "https://127.0.0.1:9/a/b"})
    with pytest.raises(UnavailableError) as caught:
        get(part, place, mirror=False)
    assert (caught.value.code, caught.value.retryable) == ("offline", True)
    assert left_in(place / "cache") == []


def test_an_interrupt_while_rows_are_written_leaves_nothing(place, upstream, monkeypatch):
    def interrupted(name, files):
        yield ROWS
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "canonical_lines", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(banking(upstream), place, mirror=False)
    assert left_in(place / "cache") == []


def test_what_a_killed_run_left_is_cleared_after_a_day(place, upstream):
    for name, age in (("old", 2 * 86_400), ("new", 60)):
        (place / "cache" / "partial" / name).mkdir(parents=True)
        then = time.time() - age
        os.utime(place / "cache" / "partial" / name, (then, then))
    get(banking(upstream), place)
    assert [path.name for path in (place / "cache" / "partial").iterdir()] == ["new"]


def test_a_full_disk_is_a_storage_error(place, upstream, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        get(banking(upstream), place, mirror=False)
    assert caught.value.code == "disk_full"
    assert left_in(place / "cache") == []


def test_a_cache_that_cannot_be_written_is_a_storage_error(place, upstream):
    (place / "cache").rmdir()
    (place / "cache").write_text("a file")
    with pytest.raises(StorageError):
        get(banking(upstream), place, mirror=False)


def test_a_published_file_of_rows_needs_no_converter(place, upstream):
    part = DataPart.model_validate(upstream | {"path": "plain.jsonl"})
    found = get(part, place)
    assert (found.path.read_bytes(), found.path.suffix, found.canonical) == (ROWS, ".jsonl", False)


def test_several_files_need_a_converter(place, upstream):
    with pytest.raises(InputError) as caught:
        get(DataPart.model_validate(upstream | {"path": "**"}), place)
    assert caught.value.code == "no_converter"


def test_several_repositories_reach_one_converter_with_their_names(place, upstream, monkeypatch):
    given = []
    monkeypatch.setattr(
        sources, "canonical_lines", lambda name, files: given.extend(files) or iter([ROWS])
    )
    repository = {"url": upstream["url"], "commit": upstream["commit"]}
    part = DataPart.model_validate(
        {
            "kind": "git",
            "converter": "banking77-csv-v1",
            "repositories": [
                repository | {"paths": ["**/*.csv"]},
                repository | {"paths": ["*.jsonl"], "split": "test"},
            ],
        }
    )
    get(part, place)
    parent = Path(upstream["url"]).parent.name
    assert [(file.path, file.split, file.repository) for file in given] == [
        ("data/train.csv", "train", f"{parent}/upstream"),
        ("plain.jsonl", "test", f"{parent}/upstream"),
    ]


# ------------------------------------------------------------------------------ beside the recipe


def test_a_file_beside_the_recipe_is_used_as_it_is(place):
    (place / "recipe" / "mine.csv").write_bytes(CSV)
    found = get(DataPart(kind="file", path="mine.csv"), place)
    assert (found.path, found.sha256, found.origin, found.canonical) == (
        place / "recipe" / "mine.csv",
        sha256(CSV),
        "file",
        False,
    )


def test_a_file_can_be_converted(place):
    (place / "recipe" / "train.csv").write_bytes(CSV)
    found = get(DataPart(kind="file", path="train.csv", converter="banking77-csv-v1"), place)
    assert found.path.read_bytes() == ROWS
    assert found.canonical


def test_a_changed_file_is_noticed(place):
    (place / "recipe" / "mine.csv").write_bytes(CSV)
    with pytest.raises(InputError, match=r"mine\.csv"):
        get(DataPart(kind="file", path="mine.csv", rows_sha256="0" * 64), place)


def test_a_folder_has_a_digest_of_names_and_bytes(place):
    folder = place / "recipe" / "texts"
    for label in ("ham", "spam"):
        (folder / label).mkdir(parents=True)
        (folder / label / "1.txt").write_text(label)
    part = DataPart(kind="dir", path="texts")
    first = get(part, place)
    assert (first.path, first.origin) == (folder, "dir")
    assert get(part, place).sha256 == first.sha256
    (folder / "ham" / "1.txt").rename(folder / "spam" / "2.txt")
    assert get(part, place).sha256 != first.sha256


@pytest.mark.parametrize("kind", ["file", "dir"])
def test_a_missing_path_is_named(place, kind):
    with pytest.raises(NotFoundError) as caught:
        get(DataPart(kind=kind, path="nothing"), place)
    assert caught.value.code == "no_file"
    assert "nothing" in caught.value.message


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/hosts", "a/../../secret.csv", "link.csv"])
def test_a_recipe_over_http_cannot_leave_its_folder(place, path):
    (place / "secret.csv").write_bytes(CSV)
    (place / "recipe" / "a").mkdir()
    (place / "recipe" / "link.csv").symlink_to(place / "secret.csv")
    with pytest.raises(InputError) as caught:
        get(DataPart(kind="file", path=path), place, confined=True)
    assert caught.value.code == "path_outside"


def test_a_local_recipe_may_name_any_path(place):
    (place / "mine.csv").write_bytes(CSV)
    assert get(DataPart(kind="file", path="../mine.csv"), place).sha256 == sha256(CSV)


def test_a_recipe_over_http_fetches_from_nowhere_but_may_use_the_mirror(place, upstream):
    with pytest.raises(MetierError) as caught:
        get(banking(upstream), place, confined=True)
    assert caught.value.code == "no_address"
    (place / "mirror" / "a.jsonl").write_bytes(ROWS)
    assert get(banking(upstream), place, confined=True).origin == "mirror"


# ------------------------------------------------------------------------ how a recipe names them


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"files": [], "path": None},
        {"repositories": [{"url": "https://e.org/a", "commit": "0" * 40, "paths": ["*"]}]},
        {"kind": "file", "path": "x", "repositories": [{"url": "u", "commit": "0" * 40}]},
    ],
)
def test_a_source_is_named_in_exactly_one_way(upstream, changes):
    with pytest.raises(ValueError, match=r"source|repositories"):
        banking(upstream, **changes)


def test_a_repository_with_globs_needs_a_full_commit(upstream):
    with pytest.raises(ValueError, match="commit"):
        DataPart.model_validate(
            {
                "kind": "git",
                "repositories": [{"url": "https://e.org/a", "commit": "0" * 9, "paths": ["*"]}],
            }
        )
