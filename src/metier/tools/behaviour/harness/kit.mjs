// SvelteKit's side of an answer: events built from data, and what came of handing them over.
// Redirects, errors and failures are told apart by kit's own functions, inside the realm.
import { File } from 'node:buffer';
import { describe, encode, stringify } from './values.mjs';

const { FormData, Request, Response, URL, URLSearchParams, Headers } = globalThis;

function listOf(value) {
  return Array.isArray(value) ? value : [value];
}

function fields(given) {
  return Object.entries(given).flatMap(([name, value]) => listOf(value).map((item) => [name, item]));
}

const isFile = (item) => typeof item === 'object' && item !== null && 'file' in item;

function form(given) {
  const data = new FormData();
  for (const [name, item] of fields(given)) {
    if (isFile(item)) data.append(name, new File([item.text ?? ''], item.file, { type: item.type ?? '' }));
    else data.append(name, `${item}`);
  }
  return data;
}

function bodyOf(spec, headers) {
  if (spec.form !== undefined) {
    if (fields(spec.form).some(([, item]) => isFile(item))) return form(spec.form);
    headers.set('content-type', headers.get('content-type') ?? 'application/x-www-form-urlencoded');
    return new URLSearchParams(fields(spec.form).map(([name, item]) => [name, `${item}`])).toString();
  }
  if (spec.json !== undefined) {
    headers.set('content-type', headers.get('content-type') ?? 'application/json');
    return stringify(spec.json);
  }
  return spec.body;
}

function cookieJar(spec, changed) {
  const jar = new Map(Object.entries(spec.cookies ?? {}));
  const placed = (options) => {
    if (options?.path === undefined) throw new Error('You must specify a `path` when setting, deleting or serializing cookies');
  };
  return {
    get: (name) => jar.get(name),
    getAll: () => [...jar].map(([name, value]) => ({ name, value })),
    set(name, value, options) {
      placed(options);
      jar.set(name, value);
      changed[name] = { value: `${value}`, ...options };
    },
    delete(name, options) {
      placed(options);
      jar.delete(name);
      changed[name] = null;
    },
    serialize(name, value, options) {
      placed(options);
      return `${name}=${value}; Path=${options.path}`;
    },
  };
}

export function openKit({ inside, clock, world, record, options, base, entry, calls }) {
  const make = (given) => inside.make(stringify(given));
  const kit = () => inside.registry['@sveltejs/kit']?.() ?? {};

  function event(spec = {}, method = 'GET') {
    const url = new URL(spec.url ?? '/', 'http://localhost/');
    const headers = new Headers(spec.headers ?? {});
    const verb = (spec.method ?? method).toUpperCase();
    const body = verb === 'GET' || verb === 'HEAD' ? undefined : bodyOf(spec, headers);
    if (Object.keys(spec.cookies ?? {}).length > 0 && !headers.has('cookie')) {
      headers.set('cookie', Object.entries(spec.cookies).map(([name, value]) => `${name}=${value}`).join('; '));
    }
    const seen = { cookies: {}, headers: {}, depends: [], before: (calls().get('fetch') ?? []).length };
    const made = {
      url, params: make(spec.params ?? {}), route: make({ id: spec.route ?? url.pathname }),
      request: new Request(url, { method: verb, headers, body, ...(body === undefined ? {} : { duplex: 'half' }) }),
      cookies: cookieJar(spec, seen.cookies), locals: make(spec.locals ?? {}), platform: make(spec.platform ?? {}),
      fetch: clock.fetcher(spec.fetch ?? options.fetch, 'fetch', url.href),
      getClientAddress: () => spec.address ?? '127.0.0.1', isDataRequest: false, isSubRequest: false, isRemoteRequest: false,
      setHeaders(given) {
        for (const [name, value] of Object.entries(given)) {
          const key = name.toLowerCase();
          if (key === 'set-cookie') throw new Error('Use `event.cookies.set(name, value, options)` instead of `event.setHeaders` to set cookies');
          if (key in seen.headers) throw new Error(`"${key}" header is already set`);
          seen.headers[key] = `${value}`;
        }
      },
      parent: async () => make(spec.parent ?? {}), depends: (...keys) => seen.depends.push(...keys.map((key) => `${key}`)),
      untrack: (act) => act(), data: make(spec.data ?? { $null: true }),
      tracing: { enabled: false, root: span(), current: span() },
    };
    return { event: made, seen };
  }

  async function resolved(given, event, response = {}) {
    record('resolve', [{ path: event.url.pathname, locals: event.locals }, given ?? {}]);
    let text = response.text ?? '';
    if (given?.transformPageChunk) text = (await given.transformPageChunk({ html: text, done: true })) ?? '';
    return new Response([101, 204, 205, 304].includes(response.status) ? null : text, { status: response.status ?? 200, headers: response.headers ?? {} });
  }

  async function outcome(act, settled) {
    const { isRedirect, isHttpError, isActionFailure } = kit();
    try {
      const value = await settled(act());
      if (isActionFailure?.(value)) return { kind: 'fail', status: value.status, data: encode(value.data) };
      if (value instanceof Response) {
        return { kind: 'response', status: value.status, headers: Object.fromEntries(value.headers), text: await value.text() };
      }
      return { kind: 'returned', value };
    } catch (error) {
      if (isRedirect?.(error)) return { kind: 'redirect', status: error.status, location: `${error.location}` };
      if (isHttpError?.(error)) return { kind: 'error', status: error.status, body: encode(error.body) };
      return { kind: 'threw', ...describe(error) };
    }
  }

  async function loaded(value, settled) {
    if (value === null || typeof value !== 'object') return value;
    const done = {};
    for (const key of Object.keys(value)) done[key] = await settled(value[key]);
    return done;
  }

  const acts = {
    load: (exported, made) => exported.load(made),
    action(exported, made, request) {
      const action = exported.actions?.[request.name];
      if (typeof action !== 'function') throw new Error(`there is no action '${request.name}'`);
      return action(made);
    },
    request(exported, made, request) {
      const handler = exported[request.name] ?? exported.fallback;
      if (typeof handler !== 'function') throw new Error(`there is no handler for ${request.name}`);
      return handler(made);
    },
    handle: (exported, made, request) =>
      exported.handle({ event: made, resolve: (event, given) => resolved(given, event, request.response) }),
  };

  async function run(request, settled) {
    const method = request.what === 'action' ? 'POST' : request.what === 'request' ? request.name : 'GET';
    const { event: made, seen } = event(request.event, method);
    const exported = inside.load(request.file ?? entry);
    const what = acts[request.what];
    if (request.what === 'load' && typeof exported.load !== 'function') throw new Error('there is no exported load');
    if (request.what === 'handle' && typeof exported.handle !== 'function') throw new Error('there is no exported handle');
    const within = world.framework.request ?? ((_, act) => act());
    const came = await outcome(() => within(made, () => what(exported, made, request)), settled);
    if (came.kind === 'returned') {
      came.value = encode(request.what === 'load' ? await loaded(came.value, settled) : came.value);
    }
    const fetched = (calls().get('fetch') ?? []).slice(seen.before).map(([verb, path]) => `${verb} ${path}`);
    return { came, cookies: seen.cookies, headers: seen.headers, depends: seen.depends, locals: encode(made.locals), fetched };
  }

  return { event: (spec) => event(spec), form, run, base };
}

function span() {
  const nothing = () => made;
  const made = { setAttribute: nothing, setAttributes: nothing, addEvent: nothing, setStatus: nothing, updateName: nothing,
    end() {}, isRecording: () => false, recordException() {}, addLink: nothing, addLinks: nothing,
    spanContext: () => ({ traceId: '', spanId: '', traceFlags: 0 }) };
  return made;
}
