"""The pages of chat specialists and packs, over a real server and a real fleet."""

from __future__ import annotations

import json
import re

import httpx
import pytest

import coding_fleet
import scripted
from stand_in.serving import serving

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)>\u202e "quoted"'


@pytest.fixture(scope="module")
def service():
    with scripted.service(key=None) as seen:
        yield seen


@pytest.fixture(scope="module")
def address(tmp_path_factory, service):
    home = tmp_path_factory.mktemp("home")
    metier = coding_fleet.opened(home, service=service.service.url)
    with serving(metier) as found:
        yield found
    metier.close()


def get(address: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{address}{path}", headers=headers, timeout=60, trust_env=False)


def post(address: str, path: str, form: dict, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{address}{path}",
        data=form,
        headers={"Origin": address, **headers},
        timeout=60,
        trust_env=False,
    )


def test_the_fleet_names_them(address) -> None:
    page = get(address, "/fleet", Accept="text/html").text
    assert 'href="/specialists/coder"' in page
    assert 'href="/specialists/notes"' in page


def test_a_chat_specialist_has_two_boxes_and_its_bases(address) -> None:
    page = get(address, "/specialists/coder", Accept="text/html").text
    assert page.count("<h1") == 1
    assert 'name="question"' in page
    assert 'name="text"' in page
    assert "remote:big" in page
    assert "Not measured" in page
    assert "metier eval coder" in page


def test_a_question_is_answered_on_the_page(address, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    form = {"question": "Write add(a, b).", "base": "remote:big"}
    page = post(address, "/specialists/coder/ask", form).text
    assert "return a + b" in page
    assert "passes its check" in page
    assert '<p class="words">Write add(a, b).</p>' in page
    assert '<input type="hidden" name="turn" value="Write add(a, b).">' in page
    again = post(address, "/specialists/coder/ask", {**form, "turn": ["Hello.", "Yes?"]}).text
    assert again.index("Hello.") < again.index("Yes?") < again.index("Write add(a, b).")


def test_a_question_is_answered_as_it_goes(address, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    form = {"question": "Write add(a, b).", "base": "remote:big"}
    stream = post(address, "/specialists/coder/ask", form, Accept="text/event-stream").text
    assert "event: step" in stream
    last = re.search(r"event: answer\ndata: (.*)", stream)
    assert last is not None
    kept = json.loads(last[1])["address"]
    assert "return a + b" in get(address, kept, Accept="text/html").text
    assert get(address, "/specialists/coder/answers/none", Accept="text/html").status_code == 404


def test_what_a_model_writes_is_never_html(address, service) -> None:
    service.always = scripted.told(f"{HOSTILE}\n\n```python\nx = '{HOSTILE}'\n```\n")
    form = {"question": "Write it.", "base": "remote:big"}
    page = post(address, "/specialists/coder/ask", form).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    # What a hidden field carries is nobody's to read, and must be the very bytes.
    assert "\u202e" not in re.sub(r'(value|data-text)="[^"]*"', "", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_code_is_checked_and_its_repair_can_be_taken(address) -> None:
    form = {"path": "a.py", "text": "print(math.pi)\n"}
    page = post(address, "/specialists/coder/check", form).text
    assert "Take the repair" in page
    assert "import math" in page
    taken = post(
        address,
        "/specialists/coder/check",
        {"path": "a.py", "text": "import math\n\nprint(math.pi)\n"},
    )
    assert "nothing wrong found" in taken.text


def test_a_finding_stands_at_its_line(address) -> None:
    form = {"path": "a.py", "text": "x = 1\ndef add(a, b)\n    return a\n"}
    page = post(address, "/specialists/coder/check", form).text
    marked = re.search(r'<li class="marked error"><code>(.*?)</code>', page)
    assert marked is not None
    assert "def add" in marked[1]


def test_another_file_can_be_added(address) -> None:
    form = {"path": "a.py", "text": "x = 1", "more": "1"}
    page = post(address, "/specialists/coder/check", form).text
    assert page.count('name="path"') == 2


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("/specialists/coder/ask", {"question": "  ", "base": ""}, "blank"),
        ("/specialists/coder/ask", {"question": "x", "base": "remote:none"}, "none"),
        ("/specialists/coder/check", {"path": "", "text": "x"}, "missing"),
    ],
)
def test_an_error_is_said_where_it_was_made(address, path, form, words) -> None:
    response = post(address, path, form)
    assert response.status_code == 200
    problem = re.search(r'<p class="problem">(.*?)</p>', response.text)
    assert problem is not None
    assert words in problem[1]


def test_another_origin_asks_nothing(address) -> None:
    response = post(
        address, "/specialists/coder/ask", {"question": "x"}, Origin="http://evil.example"
    )
    assert response.status_code == 403


def test_a_reloaded_form_leads_back_to_its_page(address) -> None:
    response = get(address, "/specialists/coder/ask")
    assert response.status_code == 303
    assert response.headers["location"] == "/specialists/coder"


def test_a_pack_is_searched_by_its_address(address) -> None:
    page = get(address, "/specialists/notes?q=visit+every+item", Accept="text/html").text
    assert "for item in items" in page
    assert 'value="visit every item"' in page
    found = get(address, "/specialists/notes.json?q=visit+every+item").json()
    assert found["passages"][0]["path"] == "loops.md"
    empty = get(address, "/specialists/notes", Accept="text/html").text
    assert "best first" not in empty


def test_too_long_a_query_is_said(address) -> None:
    page = get(address, f"/specialists/notes?q={'x' * 10_001}", Accept="text/html")
    assert page.status_code in (200, 414, 400)
    if page.status_code == 200:
        assert "10,001 characters" in page.text
