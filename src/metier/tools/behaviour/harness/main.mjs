// Serves one judgement: prepares a realm, loads the answer in it, does what it is told, says what is.
// It is never told what is expected, so nothing in here can know whether an answer is right.
import fs from 'node:fs';
import vm from 'node:vm';
import { bareRealm, pageRealm } from './realms.mjs';
import { openKit } from './kit.mjs';
import { describe, encode, line, stringify } from './values.mjs';

const readText = fs.read;
const writeNow = fs.writeSync;
const parse = JSON.parse;
const later = globalThis.setTimeout;
const turn = globalThis.setImmediate;
const forget = globalThis.clearTimeout;

/** Requests from the judge, one a line, as they come. */
function listen(descriptor, receive) {
  const chunk = Buffer.alloc(1 << 16);
  let rest = [];
  const more = () => readText(descriptor, chunk, 0, chunk.length, null, (error, size) => {
    if (error || size === 0) return receive(undefined);
    let from = 0;
    for (let at = 0; at < size; at += 1) {
      if (chunk[at] !== 10) continue;
      rest.push(Buffer.from(chunk.subarray(from, at)));
      const whole = Buffer.concat(rest).toString('utf8');
      rest = [];
      from = at + 1;
      receive(whole);
    }
    if (from < size) rest.push(Buffer.from(chunk.subarray(from, size)));
    return more();
  });
  more();
}

const breathe = () => new Promise((resolve) => turn(resolve));

export async function serve({ realm, script, process, keep }) {
  const seen = { calls: new Map(), programs: new Map(), lines: [], errors: [] };
  const uncaught = (error) => {
    if (seen.errors.length < 100) seen.errors.push(describe(error));
  };
  process.on('unhandledRejection', uncaught);
  process.on('uncaughtException', uncaught);
  const world = realm === 'page' ? pageRealm({ script, log, uncaught }) : bareRealm({ script, log });
  let state;

  function log(method, parts) {
    if (seen.lines.length < 2000) seen.lines.push([method, line(parts)]);
  }

  function record(name, args) {
    const list = seen.calls.get(name) ?? [];
    seen.calls.set(name, list);
    if (list.length < 2000) list.push(encode(args));
  }

  function next(name) {
    const program = seen.programs.get(name);
    if (program === undefined) return undefined;
    if (!program.each) return ['returns', 'resolves', 'throws', 'rejects'].some((key) => key in program) ? program : undefined;
    const given = program.each[Math.min(program.turn, program.each.length - 1)];
    program.turn += 1;
    return { returns: given };
  }

  function prepare(request) {
    const options = request.options ?? {};
    const outer = {
      record, next, registry: world.registry, framework: world.framework, options, uncaught, breathe,
      program: (name, given) => seen.programs.set(name, { ...given, turn: 0 }),
      compile: (code, path) => new vm.Script(code, { filename: path }).runInContext(world.context),
      standIn: (name) => request.stand_ins?.[name],
      entry: () => request.entry,
      instance: () => state?.instance,
      base: world.locate(options.location ?? '/'),
    };
    const inside = world.evaluate('inside.js')(outer);
    outer.make = (given) => inside.make(stringify(given));
    const clock = world.evaluate('surroundings.js')(outer);
    outer.kit = openKit({ inside, clock, world, record, options, base: outer.base, entry: request.entry, calls: () => seen.calls });
    inside.registry['metier:options'] = () => options;
    inside.registry['metier:tools'] = () => ({ spy: inside.spy, record, make: outer.make });
    for (const [path, code] of request.modules) inside.add(path, code);
    state = { request, inside, clock, outer, page: undefined, instance: undefined, ends: new Map() };
  }

  async function settle() {
    try {
      await world.framework?.flush();
    } catch (error) {
      uncaught(error);
    }
    await breathe();
    await breathe();
  }

  async function awaited(value, request) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value;
    if (typeof value.then !== 'function' || request.await === false) return value;
    let timer;
    const late = new Promise((_, reject) => {
      timer = later(() => reject(new Error(`the promise did not settle within ${request.patience} ms`)), request.patience);
    });
    try {
      return await Promise.race([value, late]);
    } finally {
      forget(timer);
    }
  }

  function page() {
    state.page ??= world.openPage();
    return state.page;
  }

  const rooted = (act) => (world.framework?.root ? world.framework.root(act) : act());

  const doings = {
    prepare,
    open() {
      rooted(() => state.inside.load(state.request.entry));
    },
    async mount(request) {
      const shown = page();
      if (state.instance !== undefined) await world.framework.unmount();
      shown.again();
      const component = state.inside.component(request.file ?? state.request.entry, request.export);
      const props = state.inside.make(stringify(request.props ?? {}));
      const events = Object.fromEntries((request.listen ?? []).map((name) => [name, state.inside.spy(name)]));
      state.instance = (await world.framework.mount(component, props, shown.document.body, events)) ?? {};
    },
    set: (request) => world.framework.set(state.inside.make(stringify(request.props))),
    async unmount() {
      if (state.instance !== undefined) await world.framework.unmount();
      state.instance = undefined;
    },
    act: (request) => page().act(request),
    find: (request) => page().find(request),
    async call(request) {
      const { inside } = state;
      const box = []; // keeps a promise that is not to be awaited from being awaited
      await world.framework.during(async () => {
        const value = rooted(() => inside.call(request, stringify(request.args ?? [])));
        box[0] = request.await === false ? value : await awaited(value, request);
      });
      let [value] = box;
      if (request.collect !== undefined) value = await awaited(inside.collected(value, request.collect), request);
      if (request.as !== undefined) inside.keep(request.as, value);
      return encode(value);
    },
    async read(request) {
      return encode(await awaited(state.inside.read(request.name, request.file), request));
    },
    assign: (request) => state.inside.assign(request.name, state.inside.make(stringify(request.to))),
    effect(request) {
      const { inside } = state;
      const look = /^[\w.[\]'"]+$/.test(request.effect)
        ? () => inside.read(request.effect) : () => inside.evaluate(request.effect)(inside.scope());
      state.ends.set(request.as, world.framework.effect(() => record(request.as, [look()])));
    },
    subscribe(request) {
      const { inside } = state;
      const store = inside.read(request.subscribe);
      const end = store.subscribe((value) => record(request.as, [value]));
      state.ends.set(request.as, typeof end === 'function' ? end : () => end.unsubscribe());
    },
    get(request) {
      let got;
      const end = state.inside.read(request.name).subscribe((value) => (got = value));
      if (typeof end === 'function') end();
      else end.unsubscribe();
      return encode(got);
    },
    dispose: (request) => state.ends.get(request.name)?.(),
    advance: (request) => world.framework.during(() => state.clock.advance(request.milliseconds)),
    page(request) {
      state.inside.registry['$app/state']().__change(request.page);
    },
    calls(request) {
      const list = seen.calls.get(request.name) ?? [];
      if (request.forget) seen.calls.delete(request.name);
      return list;
    },
    console: () => seen.lines,
    errors: () => seen.errors,
    location: () => `${world.window.location.pathname}${world.window.location.search}${world.window.location.hash}`,
    stored: (request) => world.window[request.session ? 'sessionStorage' : 'localStorage'].getItem(request.name),
    kit: (request) => state.outer.kit.run(request, (value) => awaited(value, request)),
    async render(request) {
      const component = state.inside.component(request.file ?? state.request.entry, request.export);
      const { head, body } = await world.framework.render(component, state.inside.make(stringify(request.props ?? {})));
      page().document.head.innerHTML = head;
      page().document.body.innerHTML = body;
      page().again();
      return { head, body };
    },
    finish: () => true,
  };

  let secret = '';
  const replies = Number(process.env.METIER_REPLIES ?? 1);
  function reply(message) {
    const bytes = Buffer.from(`${stringify(message)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeNow(replies, bytes, at);
  }

  async function answer(text) {
    const request = parse(text);
    if (request.do === 'prepare') secret = request.nonce;
    const said = { nonce: secret, turn: request.turn };
    try {
      const result = await doings[request.do](request);
      if (!['find', 'calls', 'console', 'errors', 'prepare', 'read'].includes(request.do)) await settle();
      else if (request.do !== 'prepare') await breathe();
      said.result = result === undefined ? null : result;
    } catch (error) {
      said.thrown = describe(error);
      await settle();
    }
    said.errors = seen.errors.length;
    said.pending = state.clock.pending();
    said.meddled = state.page?.meddled() ?? '';
    reply(said);
  }

  await world.exercise();
  for (const name of ['inside.js', 'surroundings.js']) script(name);
  if (keep) {
    keep();
    process.exit(0);
  }
  let queue = Promise.resolve();
  listen(Number(process.env.METIER_REQUESTS ?? 0), (text) => {
    if (text === undefined) return process.exit(0);
    queue = queue.then(() => answer(text));
    return undefined;
  });
  reply({ ready: true });
}
