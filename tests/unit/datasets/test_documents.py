from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from metier.datasets.documents import Documents, digest_of, documents_of, source_of
from metier.errors import InputError, MetierError, NotFoundError
from metier.recipe import DocumentPart

PAGES = {"a.md": "# A\n", "01-start/b.md": "# B\n", "c.txt": "no"}


def folder(root: Path, files: dict[str, str] = PAGES) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def read(part: DocumentPart, tmp_path: Path, **more: Any) -> Documents:
    places = {"folder": tmp_path, "mirror": None, "cache": tmp_path / "cache", **more}
    return documents_of(part, **places)


def repository(root: Path) -> str:
    folder(root / "docs")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Pages"]):
        git(root, *words)
    return git(root, "rev-parse", "HEAD").strip()


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_a_folder_gives_its_markdown_by_path(tmp_path: Path) -> None:
    folder(tmp_path / "docs")
    found = read(DocumentPart(kind="dir", path="docs"), tmp_path)
    assert dict(found.files) == {"01-start/b.md": "# B\n", "a.md": "# A\n"}
    assert (found.origin, found.source) == ("dir", "docs")
    assert found.sha256 == digest_of({k: v.encode() for k, v in found.files.items()})


def test_globs_choose_and_leave_out(tmp_path: Path) -> None:
    folder(tmp_path / "docs")
    part = DocumentPart(kind="dir", path="docs", paths=("**/*.md", "!01-*/**"))
    assert list(read(part, tmp_path).files) == ["a.md"]


def test_a_commit_gives_the_same_files_fetched_cached_or_mirrored(tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    commit = repository(upstream)
    part = DocumentPart(kind="git", url=upstream.as_uri(), commit=commit, path="docs")
    first = read(part, tmp_path)
    assert first.origin == "git"
    pinned = part.model_copy(update={"files_sha256": first.sha256})
    cached = read(pinned.model_copy(update={"url": "file:///nowhere"}), tmp_path)
    assert (cached.origin, cached.files) == ("cache", first.files)
    mirror = folder(tmp_path / "mirror" / "svelte" / "docs")
    mirrored = read(pinned, tmp_path, mirror=mirror.parent.parent, cache=tmp_path / "other")
    assert (mirrored.origin, mirrored.files) == ("mirror", first.files)


def test_a_damaged_cache_is_not_used(tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    part = DocumentPart(kind="git", url=upstream.as_uri(), commit=repository(upstream), path="docs")
    pinned = part.model_copy(update={"files_sha256": read(part, tmp_path).sha256})
    (kept,) = (tmp_path / "cache" / "documents").iterdir()
    kept.write_text('{"a.md": "# Other"}')
    assert read(pinned, tmp_path).origin == "git"


def test_another_digest_stops_with_both_shown(tmp_path: Path) -> None:
    folder(tmp_path / "docs")
    with pytest.raises(InputError) as caught:
        read(DocumentPart(kind="dir", path="docs", files_sha256="0" * 64), tmp_path)
    assert caught.value.code == "wrong_sha256"
    assert caught.value.details["expected"] == "0" * 64
    assert caught.value.details["got"] in caught.value.message


def test_links_and_folders_without_documents_are_passed_over(tmp_path: Path) -> None:
    kept = {"a.md": "A", ".generated/errors.md": "E"}
    left = {".git/b.md": "B", "node_modules/c/c.md": "C", "picture.png": "P"}
    start = folder(tmp_path / "docs", kept | left)
    (tmp_path / "secret.md").write_text("secret")
    (start / "link.md").symlink_to(tmp_path / "secret.md")
    (start / "folder").symlink_to(tmp_path)
    found = read(DocumentPart(kind="dir", path="docs"), tmp_path)
    assert list(found.files) == sorted(kept)


@pytest.mark.parametrize("sizes", [[50 << 20], [3 << 20] * 340], ids=["50 MB", "1 GB together"])
def test_a_huge_folder_is_refused_before_it_is_read(tmp_path: Path, sizes: list[int]) -> None:
    start = folder(tmp_path / "docs", {"a.md": "A"})
    for number, size in enumerate(sizes):
        with (start / f"{number}.md").open("wb") as stream:
            stream.truncate(size)
    with pytest.raises(InputError, match="too large") as caught:
        read(DocumentPart(kind="dir", path="docs"), tmp_path)
    assert caught.value.code == "upstream_too_large"


def test_a_confined_recipe_reaches_nothing_outside(tmp_path: Path) -> None:
    folder(tmp_path / "docs")
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InputError) as caught:
        read(DocumentPart(kind="dir", path="../docs"), tmp_path, folder=inside, confined=True)
    assert caught.value.code == "path_outside"
    part = DocumentPart(kind="git", url="https://example.org/a", commit="0" * 40)
    with pytest.raises(InputError) as caught:
        read(part, tmp_path, confined=True)
    assert caught.value.code == "no_address"


@pytest.mark.parametrize(
    ("files", "code"),
    [({"c.txt": "x"}, "no_documents"), ({}, "no_file")],
)
def test_what_is_not_there_is_said(tmp_path: Path, files: dict[str, str], code: str) -> None:
    if files:
        folder(tmp_path / "docs", files)
    with pytest.raises(MetierError) as caught:
        read(DocumentPart(kind="dir", path="docs"), tmp_path)
    assert caught.value.code == code


def test_a_missing_path_of_a_commit_is_named(tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    commit = repository(upstream)
    part = DocumentPart(kind="git", url=upstream.as_uri(), commit=commit, path="guide")
    with pytest.raises(NotFoundError, match="below 'guide'"):
        read(part, tmp_path)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match=r"'a\.md'.*byte 3") as caught:
        read(DocumentPart(kind="dir", path="docs"), tmp_path)
    assert caught.value.code == "bad_encoding"


def test_a_source_is_named_for_people() -> None:
    commit = "0123456789" * 4
    part = DocumentPart(kind="git", url="https://example.org/sveltejs/svelte.git", commit=commit)
    assert source_of(part) == "sveltejs/svelte@01234567"
    assert source_of(DocumentPart(kind="npm", package="a", release="1.2.3")) == "a 1.2.3 (npm)"
    assert source_of(DocumentPart(kind="dir", path="/x/docs/")) == "docs"
