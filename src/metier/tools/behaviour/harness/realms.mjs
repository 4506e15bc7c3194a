// The realm in which an answer runs: a window with a light DOM, or a bare one as on a server.
// Knows where frameworks are plugged in, not what they are.
import assert from 'node:assert';
import async_hooks, { AsyncLocalStorage } from 'node:async_hooks';
import buffer, { File } from 'node:buffer';
import crypto, { webcrypto } from 'node:crypto';
import events from 'node:events';
import path from 'node:path';
import stream from 'node:stream';
import url from 'node:url';
import util from 'node:util';
import vm from 'node:vm';
import { JSDOM, VirtualConsole } from 'jsdom';
import { openPage } from './page.mjs';

const METHODS = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table', 'dir', 'assert', 'count', 'group',
  'groupCollapsed', 'groupEnd', 'time', 'timeEnd', 'timeLog', 'clear', 'countReset'];
const QUIET = new Set(['groupEnd', 'time', 'timeEnd', 'timeLog', 'clear', 'countReset', 'count']);
const WEB = ['URL', 'URLSearchParams', 'Request', 'Response', 'Headers', 'FormData', 'Blob', 'TextEncoder',
  'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget', 'queueMicrotask', 'structuredClone',
  'performance', 'btoa', 'atob', 'ReadableStream', 'TransformStream', 'WritableStream', 'DOMException',
  'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'MessageChannel'];
const ALSO_IN_PAGES = ['Request', 'Response', 'Headers', 'TextEncoder', 'TextDecoder', 'ReadableStream',
  'TransformStream', 'WritableStream', 'MessageChannel'];

/** What answers may import of Node: what computes. Files, processes and the network are not there. */
const BUILT_IN = { assert, async_hooks, buffer, crypto, events, path, stream, url, util };

function withBuiltIns(registry) {
  for (const [name, module] of Object.entries(BUILT_IN)) {
    registry[name] ??= () => module;
    registry[`node:${name}`] ??= () => module;
  }
  return registry;
}

const NOTHING = {
  flush: () => {},
  during: async (act) => act(),
  around: (act) => act(),
};

const taken = Object.fromEntries(WEB.map((name) => [name, globalThis[name]]));

function console(log) {
  const made = {};
  for (const name of METHODS) {
    made[name] = (...parts) => {
      if (QUIET.has(name)) return;
      if (name === 'assert') {
        if (!parts[0]) log('error', ['Assertion failed', ...parts.slice(1)]);
        return;
      }
      log(name === 'group' || name === 'groupCollapsed' ? 'log' : name, parts);
    };
  }
  return made;
}

function define(holder, name, value) {
  Object.defineProperty(holder, name, { value, writable: true, configurable: true, enumerable: false });
}

function plug(context, script, name) {
  script(name).runInContext(context);
  const global = vm.runInContext('globalThis', context);
  const { registry, framework } = global.__metier;
  delete global.__metier;
  return { registry: withBuiltIns(registry), framework: { ...NOTHING, ...framework } };
}

const evaluating = (context, script) => (name) => script(name).runInContext(context);

/** A window; the framework's runtime is loaded in it. */
export function pageRealm({ script, log, uncaught }) {
  const messages = new VirtualConsole();
  messages.on('jsdomError', (error) => {
    if (error.type === 'unhandled exception' || error.type === 'unhandled-exception') {
      uncaught(error.detail ?? error.cause ?? error);
    }
  });
  const dom = new JSDOM('<!doctype html><html lang="en"><head><title></title></head><body></body></html>', {
    url: 'http://localhost/', pretendToBeVisual: true, runScripts: 'outside-only', virtualConsole: messages,
  });
  const { window } = dom;
  const context = dom.getInternalVMContext();
  define(window, 'console', console(log));
  for (const name of ALSO_IN_PAGES) define(window, name, taken[name]);
  if (!window.structuredClone) define(window, 'structuredClone', clone(context));
  if (!window.crypto?.subtle) define(window, 'crypto', webcrypto);
  const { registry, framework } = plug(context, script, 'runtime-page.js');
  return {
    context, window, registry, framework,
    evaluate: evaluating(context, script),
    locate(path) {
      const url = new URL(path, 'http://localhost/').href;
      dom.reconfigure({ url });
      return url;
    },
    openPage: () => openPage(window, framework.around),
    async exercise() {
      const module = { exports: {} };
      script('exercise.js').runInContext(context)(module, module.exports, (name) => registry[name]());
      const { document } = window;
      const page = openPage(window, framework.around);
      if (module.exports.default) await framework.mount(module.exports.default, {}, document.body, {});
      else document.body.innerHTML = '<button>Add</button><label>Text <input></label>';
      const of = (found) => found[0].id;
      await page.act({ verb: 'click', id: of(page.find({ by: 'role', value: 'button', want: ['text', 'visible', 'disabled'] })) });
      await page.act({ verb: 'fill', id: of(page.find({ by: 'label', want: ['value', 'checked'] })), text: 'x' });
      page.find({ by: 'css', value: 'p, div', want: ['attributes', 'text'], style: ['color'] });
      page.find({ by: 'attribute', value: 'data-testid', want: ['text'] });
      await framework.flush();
      if (module.exports.default) await framework.unmount();
      document.body.innerHTML = '';
      document.head.innerHTML = '<title></title>';
    },
  };
}

/** What `structuredClone` gives must be of the realm that asks. */
function clone(context) {
  return vm.runInContext(`(function copy(value, options, seen = new Map()) {
    if (typeof value === 'function' || typeof value === 'symbol') throw new DOMException('It could not be cloned.', 'DataCloneError');
    if (value === null || typeof value !== 'object') return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => (seen.set(value, made), made);
    const deep = (item) => copy(item, options, seen);
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof Map) { const made = keep(new Map()); for (const [k, v] of value) made.set(deep(k), deep(v)); return made; }
    if (value instanceof Set) { const made = keep(new Set()); for (const v of value) made.add(deep(v)); return made; }
    if (ArrayBuffer.isView(value)) return keep(value.slice());
    if (value instanceof Error) return keep(Object.assign(new value.constructor(value.message)));
    if (typeof Node === 'function' && value instanceof Node) throw new DOMException('It could not be cloned.', 'DataCloneError');
    const made = keep(Array.isArray(value) ? [] : {});
    for (const key of Object.keys(value)) made[key] = deep(value[key]);
    return made;
  })`, context);
}

/** A realm without a DOM, with what a server has of the web. */
export function bareRealm({ script, log }) {
  const context = vm.createContext({});
  const global = vm.runInContext('globalThis', context);
  for (const name of WEB) define(global, name, taken[name]);
  define(global, 'File', File);
  define(global, '__storage', AsyncLocalStorage);
  define(global, 'crypto', webcrypto);
  define(global, 'Buffer', buffer.Buffer);
  define(global, 'console', console(log));
  define(global, 'structuredClone', clone(context));
  vm.runInContext('globalThis.process = { env: {}, platform: "linux", version: "v20.0.0", argv: [], cwd: () => "/", nextTick: (act, ...args) => queueMicrotask(() => act(...args)) }', context);
  const { registry, framework } = plug(context, script, 'runtime-server.js');
  let window;
  return {
    context, registry, framework,
    get window() {
      window ??= new JSDOM('<!doctype html><html><head></head><body></body></html>', {
        url: 'http://localhost/', pretendToBeVisual: true, virtualConsole: new VirtualConsole(),
      }).window;
      return window;
    },
    evaluate: evaluating(context, script),
    locate: (path) => new URL(path, 'http://localhost/').href,
    async exercise() {
      const { Request, Response } = taken; // Node loads its own parts for these when they are first used
      const request = new Request('http://localhost/', { method: 'POST', body: new URLSearchParams({ a: '1' }) });
      await request.formData();
      await new Response('x').text();
    },
    openPage() {
      return openPage(this.window, framework.around);
    },
  };
}
