"""Files come out of a commit byte for byte, and every failure says what it was."""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from metier.datasets import repositories
from metier.datasets.repositories import Blob, Repository, check_url, choose
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError

CRLF = b"text,category\r\na,b\r\n"


def git(*arguments, at):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.autocrlf=false")
    done = subprocess.run(
        ["git", "-C", str(at), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def upstream(tmp_path):
    """A served repository with two commits: (url, first commit, second commit)."""
    work = tmp_path / "work"
    (work / "data" / "deep").mkdir(parents=True)
    git("init", "--quiet", at=work)
    (work / "data" / "train.csv").write_bytes(CRLF)
    git("add", ".", at=work)
    # An attribute that would rewrite the line endings of a checkout.
    (work / ".gitattributes").write_text("*.csv text eol=lf\n")
    git("add", ".gitattributes", at=work)
    git("commit", "--quiet", "-m", "first", at=work)
    first = git("rev-parse", "HEAD", at=work)
    (work / "data" / "train.csv").write_bytes(b"changed")
    (work / "data" / "deep" / "ünï\n.py").write_bytes(b"x = 1\n")
    (work / "link.csv").symlink_to("/etc/passwd")
    git("add", ".", at=work)
    git("commit", "--quiet", "-m", "second", at=work)
    second = git("rev-parse", "HEAD", at=work)
    served = tmp_path / "served.git"
    git("clone", "--quiet", "--bare", str(work), str(served), at=tmp_path)
    git("config", "uploadpack.allowFilter", "true", at=served)
    return served.as_uri(), first, second


def contents(repository):
    blobs = repository.blobs()
    return dict(zip([b.path for b in blobs], repository.read(blobs), strict=True))


def test_reads_the_bytes_of_a_commit_and_no_links(upstream, tmp_path):
    url, _, second = upstream
    found = contents(Repository(url, second, tmp_path / "g"))
    assert found["data/deep/ünï\n.py"] == b"x = 1\n"
    assert found["data/train.csv"] == b"changed"
    assert "link.csv" not in found


def test_an_older_commit_keeps_its_line_endings(upstream, tmp_path):
    url, first, _ = upstream
    assert contents(Repository(url, first, tmp_path / "g"))["data/train.csv"] == CRLF


def test_a_short_commit_is_found_through_the_whole_history(upstream, tmp_path):
    url, first, _ = upstream
    assert contents(Repository(url, first[:9], tmp_path / "g"))["data/train.csv"] == CRLF


def test_a_server_that_refuses_single_commits_and_filters_still_serves(upstream, tmp_path):
    url, first, _ = upstream
    served = Path(url.removeprefix("file://"))
    git("config", "protocol.version", "0", at=served)
    git("config", "uploadpack.allowFilter", "false", at=served)
    assert contents(Repository(url, first, tmp_path / "g"))["data/train.csv"] == CRLF


def test_only_wanted_blobs_are_brought(upstream, tmp_path):
    url, _, second = upstream
    repository = Repository(url, second, tmp_path / "g")
    wanted = choose(repository.blobs(), ["**/*.py"])
    assert repository.read(wanted) == [b"x = 1\n"]
    objects = git("cat-file", "--batch-all-objects", "--batch-check", at=tmp_path / "g")
    assert sum(" blob " in line for line in objects.splitlines()) == 1


def test_hooks_and_foreign_git_variables_have_no_say(upstream, tmp_path, monkeypatch):
    url, first, _ = upstream
    marker = tmp_path / "ran"
    hooks = tmp_path / "home" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "home" / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    assert contents(Repository(url, first, tmp_path / "g"))["data/train.csv"] == CRLF
    assert not marker.exists()


def test_a_commit_that_is_not_there_is_named(upstream, tmp_path):
    with pytest.raises(NotFoundError) as caught:
        Repository(upstream[0], "f" * 40, tmp_path / "g")
    assert caught.value.code == "no_commit"
    assert "f" * 40 in caught.value.message


def test_a_missing_repository_is_named(tmp_path):
    with pytest.raises(NotFoundError) as caught:
        Repository((tmp_path / "none.git").as_uri(), "f" * 40, tmp_path / "g")
    assert caught.value.code == "no_repository"


def test_an_unreachable_host_can_be_tried_again(tmp_path):
    with pytest.raises(UnavailableError) as caught:
        Repository("https://127.0.0.1:9/owner/name", "f" * 40, tmp_path / "g")
    assert caught.value.code == "offline"
    assert caught.value.retryable
    assert "METIER_MIRROR" in (caught.value.remedy or "")


def test_a_git_that_hangs_is_ended_with_its_children(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    pid = tmp_path / "pid"
    (tools / "git").write_text(f"#!/bin/sh\nsleep 60 & echo $! > {pid}\nwait\n")
    (tools / "git").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UnavailableError) as caught:
        Repository("https://example.org/a/b", "f" * 40, tmp_path / "g", seconds=1)
    assert caught.value.code == "timeout"
    deadline = time.monotonic() + 5
    while runs(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid):
    """Whether a process is there and is not a zombie that nobody has waited for."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_no_git_command_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError) as caught:
        Repository("https://example.org/a/b", "f" * 40, tmp_path / "g")
    assert caught.value.code == "no_git"


def test_a_huge_file_is_refused(upstream, tmp_path, monkeypatch):
    monkeypatch.setattr(repositories, "MAX_FILE_BYTES", 3)
    with pytest.raises(InputError) as caught:
        contents(Repository(upstream[0], upstream[2], tmp_path / "g"))
    assert caught.value.code == "upstream_too_large"


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "http://example.org/a",
        "git://example.org/a",
        "--upload-pack=touch",
        "ssh://-oProxyCommand=x/a",
        "https://",
        "https://user:secret@example.org/a",
        "https://token@example.org/a",
        "file://host/share",
        "https://example.org/a b",
        "https://example.org/a\n",
        "/etc",
        "owner/name",
    ],
)
def test_other_addresses_are_refused_without_showing_secrets(url):
    with pytest.raises(MetierError) as caught:
        check_url(url)
    assert caught.value.code == "bad_url"
    assert "secret" not in caught.value.message
    assert "token@" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["https://example.org/a/b", "ssh://git@example.org/a/b", "file:///srv/a.git"]
)
def test_plain_addresses_pass(url):
    check_url(url)


def test_globs_stay_in_a_folder_unless_doubled():
    blobs = [
        Blob(path, "0")
        for path in ("a.py", "src/b.py", "src/deep/c.py", "src/x.pyc", "three.js/a.md", "a.js")
    ]

    def chosen(*patterns, limit=None):
        return [blob.path for blob in choose(blobs, patterns, limit)]

    assert chosen("*.py") == ["a.py"]
    assert chosen("**/*.py") == ["a.py", "src/b.py", "src/deep/c.py"]
    assert chosen("src") == ["src/b.py", "src/deep/c.py", "src/x.pyc"]
    assert chosen("src/**", "!**/*.pyc") == ["src/b.py", "src/deep/c.py"]
    assert chosen("**/*.js") == ["a.js"]
    assert chosen("?.py") == ["a.py"]
    assert len(chosen("**/*.py", limit=2)) == 2
    assert chosen("**/*.py", limit=2) == chosen("**/*.py", limit=2)
    assert chosen("**") == sorted(blob.path for blob in blobs)
