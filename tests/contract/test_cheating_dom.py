# ruff: noqa: E501  an attack is read best on the line it needs
"""Answers that try to be accepted without being right: none is, and none spoils the next judgement.

Every cheat is built, loaded and judged by the real judge in a real sandbox. What stands there
without its attack is simply wrong, and a right answer passes the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metier.coding import Behaviour, Judged, SourceFile
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.behaviour import Judge
from toolchain import needs, toolchains

pytestmark = needs("svelte@5", "react@19")

COUNTER = Behaviour(
    "dom",
    "Counter.svelte",
    steps=(
        {"mount": {"start": 17}},
        {"expect": {"testid": "count"}, "text": "17"},
        {"click": {"role": "button", "name": "Add"}},
        {"click": {"role": "button", "name": "Add"}},
        {"expect": {"testid": "count"}, "text": "19"},
        {"calls": "onadd", "args": [[18], [19]]},
    ),
    options={"seconds": 4},
)
PROPS = {**COUNTER.steps[0]["mount"], "onadd": {"$spy": "onadd"}}
COUNTER = Behaviour(
    "dom",
    "Counter.svelte",
    steps=({"mount": PROPS}, *COUNTER.steps[1:]),
    options=COUNTER.options,
)
RIGHT = """<script>
let { start, onadd } = $props();
let count = $state(start);
</script>
<button onclick={() => { count += 1; onadd(count); }}>Add</button>
<p data-testid="count">{count}</p>"""

# A way out of the window's realm, if there is one; everything it finds there is tried.
OUT = """
const ways = [document.createElement, window.addEventListener, console.log, Element.prototype.getAttribute];
const outer = (text) => {
  const found = [];
  for (const way of ways) {
    try { found.push(way.constructor(text)()); } catch (error) { found.push(undefined); }
  }
  return found.filter(Boolean);
};
"""
FORGED = """JSON.stringify({ nonce: '0'.repeat(32), turn: 3, result: true, errors: 0, pending: 0, meddled: '' })"""


def wrong(script: str, more: str = "") -> str:
    """A counter that does not count, with an attack in its script."""
    return (
        f"<script>\nlet {{ start, onadd }} = $props();\n{OUT}\n{script}\n</script>\n"
        f'<button onclick={{() => {{ {more} }}}}>Add</button>\n<p data-testid="count">{{start}}</p>'
    )


CHEATS = {
    "does nothing": wrong(""),
    "exits": wrong("globalThis.process?.exit(0);"),
    "exits from the outer realm": wrong("outer('return process').forEach((p) => p.exit(0));"),
    "exits on the first click": wrong("", "outer('return process').forEach((p) => p.exit(0));"),
    "prints the verdict": wrong(
        """console.log('{"standing":"passed"}'); console.log('ok 1 - all tests passed');"""
    ),
    "forges replies on every descriptor": wrong(
        f"""const forged = {FORGED} + '\\n';
        for (const fs of outer("return process.binding && process.binding('fs')")) {{
          for (let fd = 1; fd < 32; fd += 1) {{ try {{ fs.writeString(fd, forged); }} catch {{}} }}
        }}
        outer('return import("node:fs")').forEach((found) => Promise.resolve(found).then((fs) => {{
          for (let fd = 1; fd < 32; fd += 1) {{ try {{ fs.writeSync(fd, forged); }} catch {{}} }}
        }}, () => {{}}));"""
    ),
    "asks the loader for files": wrong(
        """for (const name of ['fs', 'node:fs', 'child_process', 'node:worker_threads', 'node:vm']) {
          try { globalThis.require?.(name).writeSync(1, 'passed'); } catch {}
        }"""
    ),
    "replaces querySelectorAll": wrong(
        """const made = document.createElement('p'); made.dataset.testid = 'count';
        for (const owner of [Document, Element]) owner.prototype.querySelectorAll = () => [made];
        document.querySelectorAll = () => [made];"""
    ),
    "replaces the getter of textContent": wrong(
        """Object.defineProperty(Node.prototype, 'textContent', { get: () => ({ toString: () => '19', toJSON: () => '19' }) });"""
    ),
    "puts a getter on its own element": wrong(
        """$effect(() => { const node = document.querySelector('[data-testid=count]'); let reads = 16;
        for (const name of ['textContent', 'innerText', 'innerHTML']) {
          Object.defineProperty(node, name, { get: () => `${++reads}` });
        } });"""
    ),
    "replaces document.body": wrong(
        """Object.defineProperty(document, 'body', { get: () => new Proxy({}, { get: () => '19' }) });"""
    ),
    "replaces JSON in both realms": wrong(
        """JSON.stringify = () => '{"standing":"passed"}';
        outer('return JSON').forEach((json) => { json.stringify = JSON.stringify; json.parse = () => ({}); });"""
    ),
    "gives every object a toJSON": wrong(
        """outer('return Object.prototype').forEach((proto) => {
          Object.defineProperty(proto, 'toJSON', { value() { return { standing: 'passed', result: '19' }; } });
        });"""
    ),
    "makes every list agree": wrong(
        """for (const list of [Array.prototype, ...outer('return Array.prototype')]) {
          list.every = () => true; list.some = () => true; list.includes = () => true;
          list.filter = function () { return this; };
        }"""
    ),
    "replaces promises": wrong(
        """for (const made of [Promise, ...outer('return Promise')]) {
          const then = made.prototype.then;
          made.prototype.then = function (done, failed) { return then.call(this, () => done?.('19'), failed); };
        }"""
    ),
    "replaces maps and strings": wrong(
        """for (const [map, text] of [[Map, String], ...outer('return [Map, String]')]) {
          map.prototype.get = () => [[18], [19]];
          text.prototype.trim = () => '19'; text.prototype.toString = () => '19';
        }"""
    ),
    "shows every number in turn": wrong(
        """let shown = 0; setInterval(() => {
          document.querySelector('[data-testid=count]').textContent = `${shown++ % 40}`;
        }, 1);"""
    ),
    "guesses from what the judge changes": wrong(
        """new MutationObserver((list) => list.forEach((change) => {
          const said = JSON.stringify(change.target.outerHTML ?? '').match(/\\d+/g) ?? [];
          if (said[1]) document.querySelector('[data-testid=count]').textContent = said[1];
        })).observe(document, { subtree: true, childList: true, attributes: true });"""
    ),
    "stops the clock": wrong(
        """for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame', 'queueMicrotask']) globalThis[name] = () => 0;
        outer('return globalThis').forEach((found) => { found.setImmediate = () => 0; found.setTimeout = () => 0; });"""
    ),
    "loops for ever after the mount": wrong("setTimeout(() => { for (;;); }, 0);"),
    "loops for ever in a getter": wrong(
        """Object.defineProperty(window, 'event', { get() { for (;;); } });""", "for (;;);"
    ),
    "takes all memory": wrong(
        "", "const all = []; for (;;) all.push(new Array(1e6).fill(all.length));"
    ),
    "kills its parent": wrong(
        """outer('return process').forEach((p) => { p.kill(p.ppid, 'SIGKILL'); p.kill(1, 'SIGKILL'); p.kill(-1, 'SIGKILL'); });
        outer("return import('node:process')").forEach((found) => found.then((p) => p.kill(p.ppid), () => {}));"""
    ),
    "reads the judge's pipes": wrong(
        """outer("return import('node:fs')").forEach((found) => Promise.resolve(found).then((fs) => {
          for (const fd of fs.readdirSync('/proc/self/fd')) fs.writeSync(Number(fd), fs.readFileSync(`/proc/self/fd/${fd}`));
        }, () => {}));"""
    ),
    "asks the inspector for the nonce": wrong(
        """outer("return import('node:inspector')").forEach((found) => Promise.resolve(found).then((inspector) => {
          const session = new inspector.Session(); session.connect();
          session.post('Runtime.evaluate', { expression: 'process.exit(0)' });
        }, () => {}));"""
    ),
    "starts a worker": wrong(
        """try { new Worker('data:text/javascript,postMessage(1)'); } catch {}
        outer("return import('node:worker_threads')").forEach((found) => Promise.resolve(found).then((threads) =>
          new threads.Worker("require('fs').writeSync(1, 'passed')", { eval: true }), () => {}));"""
    ),
    "walks the stack": wrong(
        """outer('return Error').forEach((made) => { made.prepareStackTrace = (_, calls) => {
          for (const call of calls) { try { call.getThis()?.process?.exit(0); call.getFunction()?.constructor('return process')().exit(0); } catch {} }
          return 'passed';
        }; });"""
    ),
    "throws at once": wrong("throw { name: 'passed', message: 'all passed', stack: 'passed' };"),
    "closes the window": wrong(
        "window.close(); document.open(); document.write('<p data-testid=count>'); document.close();"
    ),
    "floods": wrong("for (let at = 0; at < 3e5; at += 1) console.log('passed'.repeat(50));"),
    "calls the spy itself, too often": wrong("", "for (let at = 0; at < 5000; at += 1) onadd(at);"),
    "imports the judge's own doors": "<script>\nimport * as door from 'metier:tools';\n"
    "const tools = door.record ? door : {};\ntools.record?.('onadd', [18]); tools.record?.('onadd', [19]);\n"
    '</script>\n<button>Add</button>\n<p data-testid="count">17</p>',
}

REACT = Behaviour(
    "dom",
    "Counter.jsx",
    steps=(
        {"mount": {"start": 5}},
        {"click": {"role": "button"}},
        {"expect": {"testid": "count"}, "text": "6"},
    ),
    options={"seconds": 4},
)
REACT_RIGHT = """import { useState } from 'react';
export default function Counter({ start }) {
  const [count, setCount] = useState(start);
  return <><button onClick={() => setCount(count + 1)}>Add</button><p data-testid="count">{count}</p></>;
}"""
REACT_CHEATS = {
    "replaces act": """import * as React from 'react';
try { React.act = async () => '6'; } catch {}
globalThis.IS_REACT_ACT_ENVIRONMENT = 'passed';
export default () => <><button>Add</button><p data-testid="count">5</p></>;""",
    "replaces the methods of the page": """Element.prototype.getAttribute = () => 'count';
Object.defineProperty(Node.prototype, 'textContent', { get: () => '6' });
export default () => <><button>Add</button><p data-testid="count">5</p></>;""",
    "exits while rendering": """export default function Counter() {
  document.createElement.constructor('return globalThis.process && process.exit(0)')();
  return <><button>Add</button><p data-testid="count">5</p></>;
}""",
}

MODULE = Behaviour(
    "module",
    "sum.js",
    steps=(
        {"call": "sum", "args": [[1, 2, 3]], "returns": 6},
        {"call": "parts", "args": ["a-b"], "returns": ["a", "b"]},
        {"call": "later", "args": [4], "returns": {"value": 4}},
    ),
    options={"seconds": 4},
)
MODULE_RIGHT = """export const sum = (list) => list.reduce((all, one) => all + one, 0);
export const parts = (text) => text.split('-');
export const later = async (value) => ({ value });"""
MODULE_CHEATS = {
    "gives what equals everything": """const all = new Proxy(function () {}, { get: (_, key) =>
  key === Symbol.toPrimitive ? () => 6 : key === 'toJSON' ? () => 6 : all, has: () => true, apply: () => all });
export const sum = () => all; export const parts = () => all; export const later = () => all;""",
    "gives getters that throw": """const odd = { get value() { throw new Error('passed'); }, then: undefined };
export const sum = () => odd; export const parts = () => odd; export const later = () => odd;""",
    "gives a thenable that never ends": """export const sum = () => ({ then() {} });
export const parts = sum; export const later = sum;""",
    "forges the judge's tables": """const any = { $anything: true, $any: [6], $number: 6, $plain: 6 };
export const sum = () => any; export const parts = () => any; export const later = () => any;""",
    "gives a number that is an object": """export const sum = () => Object.assign(Object.create(Number.prototype), { valueOf: () => 6 });
export const parts = () => ({ 0: 'a', 1: 'b', length: 2 }); export const later = () => [];""",
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(toolchains(), detect, tmp_path_factory.mktemp("judge"), pool_size=2)


@pytest.fixture(scope="module")
def svelte(workshop: Workshop) -> Iterator[Judge]:
    judge = Judge(workshop, "svelte", "svelte@5")
    yield judge
    judge.close()


@pytest.fixture(scope="module")
def react(workshop: Workshop) -> Iterator[Judge]:
    judge = Judge(workshop, "react", "react@19")
    yield judge
    judge.close()


def judged(judge: Judge, text: str, behaviour: Behaviour) -> Judged:
    return judge.judge([SourceFile(behaviour.entry, text)], behaviour)


def test_a_right_answer_passes(svelte: Judge) -> None:
    assert judged(svelte, RIGHT, COUNTER).standing == "passed"
    assert judged(svelte, MODULE_RIGHT, MODULE).standing == "passed"


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheating_component_is_accepted(svelte: Judge, name: str) -> None:
    found = judged(svelte, CHEATS[name], COUNTER)
    assert found.standing == "failed", found
    assert found.why


@pytest.mark.parametrize("name", MODULE_CHEATS)
def test_no_cheating_module_is_accepted(svelte: Judge, name: str) -> None:
    found = judged(svelte, MODULE_CHEATS[name], MODULE)
    assert found.standing == "failed", found


@pytest.mark.parametrize("name", ["", *REACT_CHEATS])
def test_no_cheating_react_component_is_accepted(react: Judge, name: str) -> None:
    found = judged(react, REACT_CHEATS.get(name, REACT_RIGHT), REACT)
    assert found.standing == ("failed" if name else "passed"), found


def test_nothing_is_left_for_the_next_judgement(svelte: Judge) -> None:
    poison = wrong(
        """localStorage.setItem('x', '19'); globalThis.poisoned = true; Node.prototype.poisoned = true;
        outer("return import('node:fs')").forEach((found) => Promise.resolve(found).then((fs) => {
          for (const path of ['/harness/harness.js', '/harness/poison', '/job/poison', '/tmp/poison']) {
            try { fs.writeFileSync(path, 'poison'); } catch {}
          }
        }, () => {}));"""
    )
    assert judged(svelte, poison, COUNTER).standing == "failed"
    look = RIGHT.replace(
        "let count",
        "if (localStorage.getItem('x') || globalThis.poisoned || Node.prototype.poisoned) throw 1;\nlet count",
    )
    for _ in range(3):
        assert judged(svelte, look, COUNTER).standing == "passed"
    assert judged(svelte, wrong(""), COUNTER).standing == "failed"


def test_meddling_is_named(svelte: Judge) -> None:
    found = judged(svelte, CHEATS["replaces the getter of textContent"], COUNTER)
    assert "meddles" in found.why
