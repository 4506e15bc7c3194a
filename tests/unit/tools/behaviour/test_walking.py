# ruff: noqa: E501  sources of components are read best as they are
"""Every verb of the step language against real components in a real sandbox."""

from typing import Any

import pytest

from metier.tools.behaviour.walking import without_comments
from toolchain import needs

pytestmark = needs("svelte@5")

FORM = """<script>
  let { onsave = () => {}, kinds = ['red', 'blue'] } = $props();
  let name = $state(''), kind = $state('red'), many = $state([]), ok = $state(false), day = $state('');
  let size = $state(3), files = $state(), log = $state([]), over = $state(false);
  export function reset() { name = ''; return 'done'; }
</script>
<svelte:window onkeydown={(event) => event.key === 'k' && event.ctrlKey && log.push('ctrl-k')} />
<svelte:head><title>Form {name}</title></svelte:head>
<form onsubmit={(event) => { event.preventDefault(); onsave({ name, kind, ok, many, day, size }); }}>
  <label>Name <input bind:value={name} required placeholder="who" onfocus={() => log.push('focus')} onblur={() => log.push('blur')} /></label>
  <label>Kind <select bind:value={kind}>{#each kinds as one}<option value={one}>{one.toUpperCase()}</option>{/each}</select></label>
  <label>Many <select multiple bind:value={many}><option>a</option><option>b</option><option>c</option></select></label>
  <label><input type="checkbox" bind:checked={ok} /> Agree</label>
  <label>Day <input type="date" bind:value={day} /></label>
  <label>Size <input type="range" bind:value={size} min="1" max="9" /></label>
  <label>File <input type="file" multiple bind:files onchange={(event) => log.push([...event.target.files].map((file) => file.name).join())} /></label>
  <button disabled={!ok}>Save</button>
  <button type="button" class="big {over ? 'over' : ''}" onclick={() => log.push('click')} ondblclick={() => log.push('double')}
    onmouseenter={() => (over = true)} onmouseleave={() => (over = false)} onpointerdown={(event) => log.push(`down ${event.clientX}`)}>Other</button>
</form>
<ol>{#each log as line}<li>{line}</li>{/each}</ol>
<style>.big { color: rgb(0, 128, 0); }</style>"""


def passes(judged: Any) -> None:
    assert judged.standing == "passed", judged


def test_acts_on_a_form(judging: Any) -> None:
    name, save = {"label": "Name"}, {"role": "button", "name": "Save"}
    other = {"role": "button", "name": "Other"}
    passes(
        judging(
            FORM,
            [
                {"mount": {"onsave": {"$spy": "onsave"}}},
                {"expect": save, "disabled": True, "visible": True},
                {"click": save},
                {"calls": "onsave", "count": 0},
                {"type": "Ada {Backspace}", "into": name},
                {"expect": name, "value": "Ada", "focused": True, "required": True},
                {"expect": "title", "text": "Form Ada"},
                {"press": "Tab"},
                {"expect": {"label": "Kind"}, "focused": True},
                {"choose": "BLUE", "in": {"label": "Kind"}},
                {"choose": ["a", "c"], "in": {"label": "Many"}},
                {"check": {"label": "Agree"}},
                {"expect": {"role": "checkbox", "checked": True}, "count": 1},
                {"fill": "2026-02-03", "into": {"label": "Day"}},
                {"fill": "7", "into": {"label": "Size"}},
                {"press": "Enter", "on": name},
                {
                    "calls": "onsave",
                    "args": [
                        [
                            {
                                "name": "Ada",
                                "kind": "blue",
                                "ok": True,
                                "many": ["a", "c"],
                                "day": "2026-02-03",
                                "size": 7,
                            }
                        ]
                    ],
                    "forget": True,
                },
                {"submit": "form"},
                {"uncheck": {"label": "Agree"}},
                {"expect": save, "disabled": True},
                {"upload": [{"name": "a.txt", "text": "hi"}], "into": {"label": "File"}},
                {"expect": {"role": "listitem", "nth": -1}, "text": "a.txt"},
                {"press": "Control+k", "on": "window"},
                {"expect": {"role": "listitem", "nth": -1}, "text": "ctrl-k"},
                {"fire": "pointerdown", "on": other, "init": {"clientX": 9}},
                {"expect": {"text": "down 9"}, "count": 1},
                {"hover": other},
                {"expect": other, "class": "over", "style": {"color": "green"}},
                {"unhover": other},
                {"dblclick": other},
                {"expect": {"text": "double"}},
                {"call": "reset", "returns": "done"},
                {"expect": name, "value": "", "attribute": {"placeholder": "who", "title": False}},
                {"source": "Answer.svelte", "has": r"\$state", "lacks": "export let"},
            ],
        )
    )


CLOCK = """<script>
  let { every = 100 } = $props();
  let ticks = $state(0), text = $state('');
  $effect(() => { const id = setInterval(() => (ticks += 1), every); return () => clearInterval(id); });
  async function ask() { const reply = await fetch('/api/a?x=1'); text = reply.ok ? (await reply.json()).text : `bad ${reply.status}`; }
</script>
<p data-testid="ticks">{ticks}</p><p data-testid="now">{new Date().toISOString()}</p>
<button onclick={ask}>Ask</button><p data-testid="text">{text}</p>
<button onclick={() => { localStorage.setItem('a', 'b'); history.pushState({}, '', '/there?x=1#h'); console.warn('w', { a: 1 }); }}>Keep</button>
<button onclick={() => { throw new Error('boom'); }}>Throw</button>"""


def test_clock_network_storage_console_and_errors(judging: Any) -> None:
    text = {"testid": "text"}
    passes(
        judging(
            CLOCK,
            [
                {"mount": {"every": 1000}},
                {"expect": {"testid": "now"}, "text": {"starts": "2026-03-01T"}},
                {"advance": 3500},
                {"expect": {"testid": "ticks"}, "text": "3"},
                {"click": {"role": "button", "name": "Ask"}},
                {"expect": text, "text": "bad 500"},
                {"click": {"role": "button", "name": "Ask"}},
                {"expect": text, "text": "bad 500"},
                {"advance": 50},
                {"expect": text, "text": "hello"},
                {"calls": "fetch", "last": ["GET", "/api/a?x=1", {"$undefined": True}]},
                {"click": {"role": "button", "name": "Keep"}},
                {"stored": "a", "value": "b"},
                {"stored": "c", "value": "d"},
                {"stored": "z", "present": False},
                {"location": "/there?x=1#h"},
                {"console": "warn", "texts": ['w {"a":1}']},
                {"click": {"role": "button", "name": "Throw"}},
                {"errors": {"some": "boom"}},
                {"unmount": True},
                {"expect": text, "present": False},
                {"advance": 5000},
            ],
            clock="fake",
            now="2026-03-01T00:00:00Z",
            stored={"c": "d"},
            fetch=[
                {
                    "url": "/api/a",
                    "each": [{"status": 500}, {"json": {"text": "hello"}, "delay": 50}],
                }
            ],
        )
    )


def test_nodes_and_texts_are_remembered(judging: Any) -> None:
    text = """<script>let list = $state([1, 2, 3]);</script>
    <button onclick={() => list.reverse()}>Turn</button><ul>{#each list as item (item)}<li>{item}</li>{/each}</ul>"""
    first = {"role": "listitem", "nth": 1}
    steps: list[dict[str, Any]] = [
        {"mount": {}},
        {"mark": first, "as": "one"},
        {"remember": first, "as": "before"},
        {"click": "button"},
        {"expect": first, "not_same": "one", "text": {"not_remembered": "before"}},
        {
            "expect": {"role": "listitem", "nth": -1},
            "same": "one",
            "text": {"remembered": "before"},
        },
        {"expect": {"css": "ul", "has": {"text": "2"}}, "count": 1},
        {"expect": {"role": "listitem", "in": "ul", "has_text": {"matches": "[12]"}}, "count": 2},
    ]
    passes(judging(text, steps))
    unkeyed = judging(text.replace(" (item)", ""), steps)
    assert unkeyed.step == 5


MODULE = """import { writable } from 'svelte/store';
export const store = writable(1);
export class Cart {
  items = $state([]);
  total = $derived(this.items.reduce((all, one) => all + one, 0));
  add(price) { if (price < 0) throw new RangeError(`no ${price}`); this.items.push(price); return this; }
}
export const cart = new Cart();
export const later = async (value) => ({ value, at: new Date(0), odd: new Map([[1, new Set([2])]]) });
export function* count() { for (let at = 0; ; at += 1) yield at; }"""


def test_modules(judging: Any) -> None:
    passes(
        judging(
            MODULE,
            [
                {"effect": "cart.total", "as": "totals"},
                {"call": "cart.add", "args": [2]},
                {"call": "cart.add", "args": [3]},
                {"calls": "totals", "args": [[0], [2], [5]]},
                {"dispose": "totals"},
                {"read": "cart.items[1]", "equals": 3},
                {"assign": "cart.items[0]", "to": 7},
                {"read": "cart.total", "equals": 10},
                {"call": "cart.add", "args": [-1], "throws": "no -1", "error_name": "RangeError"},
                {"new": "Cart", "as": "other"},
                {"read": "other.total", "equals": 0},
                {"subscribe": "store", "as": "seen"},
                {"call": "store.set", "args": [4]},
                {"calls": "seen", "args": [[1], [4]]},
                {"get": "store", "equals": 4},
                {
                    "call": "later",
                    "args": [{"$null": True}],
                    "returns": {
                        "value": {"$null": True},
                        "at": {"$date": "1970-01-01"},
                        "odd": {"$map": [[1, {"$set": [2]}]]},
                    },
                },
                {"call": "count", "collect": 3, "returns": [0, 1, 2]},
            ],
            kind="module",
            entry="cart.svelte.js",
        )
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"click": {"role": "button", "name": "Nobody"}}, 'nothing matches role "button" named'),
        ({"click": "button"}, "3 elements match"),
        ({"expect": {"testid": "text"}, "text": "x"}, 'to be "x", found ""'),
        ({"expect": {"testid": "none"}}, "nothing matches"),
        ({"expect": {"testid": "text"}, "present": False}, "found 1"),
        ({"calls": "save", "count": 1}, "expected 1 calls"),
        ({"location": "/x"}, 'found "/"'),
        ({"source": "Answer.svelte", "lacks": "fetch"}, "not contain"),
        ({"call": "nothing"}, "nothing is called"),
    ],
)
def test_what_fails_is_told(judging: Any, step: dict[str, Any], said: str) -> None:
    judged = judging(CLOCK.replace("setInterval", "void"), [{"mount": {}}, step])
    assert judged.standing == "failed"
    assert judged.step == 2
    assert said in judged.why


def test_hold_and_timeout(judging: Any) -> None:
    text = """<script>let on = $state(true); setTimeout(() => (on = false), 80);</script>{#if on}<p>on</p>{/if}"""
    assert judging(text, [{"mount": {}}, {"expect": "p", "hold": 400}]).step == 2
    passes(judging(text, [{"mount": {}}, {"expect": "p", "present": False}]))


def test_comments_are_no_source() -> None:
    text = "<!-- a --> b /* c */ 'http://d' // e\nf"
    assert [letter for letter in "abcdef" if letter in without_comments(text)] == ["b", "d", "f"]
