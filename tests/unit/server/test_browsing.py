"""Run in this page over a real server: the page, its plan, and files by digest alone."""

from __future__ import annotations

import hashlib

import httpx
import pytest

import running_fleet
from stand_in.serving import serving
from toolchain import needs

KEY = "a key of more than sixteen letters"


@pytest.fixture(scope="module")
def metier(tmp_path_factory):
    metier = running_fleet.opened(tmp_path_factory.mktemp("home"))
    yield metier
    metier.close()


@pytest.fixture(scope="module")
def address(metier):
    with serving(metier) as found:
        yield found


def get(address: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{address}{path}", headers=headers, timeout=60, trust_env=False)


def test_the_page_says_what_it_loads_and_how_large_it_is(address) -> None:
    page = get(address, "/specialists/words/run").text
    assert page.count("<h1") == 1
    assert 'data-plan="/specialists/words/run.json"' in page
    assert "linear.safetensors" in page
    assert "data-without" in page
    assert "to load" in page


def test_a_plan_leads_to_files_with_their_digests(address) -> None:
    plan = get(address, "/specialists/words/run.json").json()
    assert plan["runs"]
    assert plan["bytes"] == sum(item["size"] for item in plan["files"])
    for item in plan["files"]:
        reply = get(address, item["address"])
        assert f"sha256:{hashlib.sha256(reply.content).hexdigest()}" == item["digest"]
        assert len(reply.content) == item["size"]
        assert "immutable" in reply.headers["cache-control"]
        again = get(address, item["address"], **{"If-None-Match": reply.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@needs("browser")
def test_an_encoder_s_plan_names_the_runtime(address) -> None:
    plan = get(address, "/specialists/team/both/run.json").json()
    program = next(item for item in plan["files"] if item["digest"] == plan["runtime"]["program"])
    reply = get(address, program["address"])
    assert reply.headers["content-type"] == "application/wasm"
    assert f"sha256:{hashlib.sha256(reply.content).hexdigest()}" == program["digest"]
    module = get(address, plan["runtime"]["module"])
    assert module.headers["content-type"].startswith("text/javascript")
    assert "immutable" in module.headers["cache-control"]


def test_another_specialist_s_file_is_not_given(address) -> None:
    table = get(address, "/specialists/table/run.json").json()
    digest = table["files"][0]["digest"].removeprefix("sha256:")
    assert get(address, f"/specialists/table/run/{digest}").status_code == 200
    assert get(address, f"/specialists/words/run/{digest}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/specialists/words/run/..%2f..%2fetc%2fpasswd",
        "/specialists/words/run/sha256:abc",
        "/specialists/words/run/card.json",
        "/running/x/..%2fpage.js",
        "/running/x/package.json",
        "/running/x/nothing.js",
        "/specialists/nobody/run",
        "/specialists/nobody/run.json",
    ],
)
def test_what_is_not_named_is_not_there(address, path) -> None:
    # Without the assets nothing of them is there either; that is said as such.
    assert get(address, path).status_code in (404, 422, 503)


def test_the_scripts_are_kept_under_their_version_alone(address) -> None:
    page = get(address, "/specialists/words/run").text
    script = page.split('type="module" src="')[1].split('"')[0]
    assert "immutable" in get(address, script).headers["cache-control"]
    old = get(address, "/running/000000000000/page.js")
    assert old.headers["cache-control"] == "no-cache"
    for name in ("worker", "classifier", "features", "tokens", "vectors", "heads", "parts"):
        assert get(address, script.replace("page", name)).status_code == 200


def test_only_this_page_and_its_scripts_may_compile(address) -> None:
    of = {path: get(address, path).headers for path in ("/specialists/words/run", "/fleet")}
    assert "'wasm-unsafe-eval'" in of["/specialists/words/run"]["content-security-policy"]
    assert "wasm" not in of["/fleet"]["content-security-policy"]
    for headers in of.values():
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "'unsafe-eval'" not in headers["content-security-policy"]


def test_what_no_page_runs_says_so(address) -> None:
    reply = get(address, "/specialists/tiny/run")
    assert reply.status_code == 200
    assert "does not classify" in reply.text
    assert "data-load" not in reply.text
    plan = get(address, "/specialists/tiny/run.json").json()
    assert (plan["runs"], "files" in plan) == (False, False)


def test_without_the_assets_the_page_says_what_is_missing(metier, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(metier.browsing, "_toolchains", metier.toolchains.__class__(tmp_path))
    with serving(metier) as address:
        page = get(address, "/specialists/full/run").text
        assert "metier doctor --install browser" in page
        assert "data-load" not in page
        assert get(address, "/running/x/ort.wasm.bundle.min.mjs").status_code == 503
        plan = get(address, "/specialists/full/run.json").json()
        assert "metier doctor --install browser" in plan["remedy"]
        # Words need none of them.
        assert "data-load" in get(address, "/specialists/words/run").text


def test_with_a_key_everything_needs_it(metier) -> None:
    paths = ["/specialists/words/run", "/specialists/words/run.json", "/running/x/page.js"]
    with serving(metier, api_key=KEY) as address:
        for path in paths:
            assert get(address, path, Accept="application/json").status_code == 401
            assert get(address, path, Authorization=f"Bearer {KEY}").status_code == 200


def test_a_specialist_whose_name_ends_in_run_keeps_its_page(metier) -> None:
    running_fleet.install(metier, "first/run", ("linear",))
    with serving(metier) as address:
        assert get(address, "/specialists/first/run", Accept="application/json").json()
        assert "data-plan" in get(address, "/specialists/first/run/run").text
