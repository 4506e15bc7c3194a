// What stands in for SvelteKit's own modules: it keeps what the task says and records what is called.
import { tick } from 'svelte';
import registry from 'metier:registry';

const options = () => registry['metier:options']();
const tools = () => registry['metier:tools']();
const base = 'http://localhost';

function pageOf(given = {}) {
  return {
    url: new URL(given.url ?? options().location ?? '/', base), params: tools().make(given.params ?? {}),
    route: { id: given.route ?? null }, status: given.status ?? 200,
    error: given.error ? tools().make(given.error) : null, data: tools().make(given.data ?? {}),
    form: given.form === undefined ? null : tools().make(given.form), state: tools().make(given.state ?? {}),
  };
}

let current = $state.raw(undefined);
const listeners = new Set();
const now = () => (current === undefined ? pageOf(options().page) : current);

function change(next) {
  const made = pageOf({ ...options().page, ...next });
  const kept = now();
  const changed = { ...kept };
  for (const key of Object.keys(next)) changed[key] = made[key];
  current = changed;
  for (const listener of listeners) listener(current);
}

const page = {};
for (const name of ['url', 'params', 'route', 'status', 'error', 'data', 'form', 'state']) {
  Object.defineProperty(page, name, { get: () => now()[name], enumerable: true });
}

const still = (value) => ({
  subscribe(listener) {
    listener(value);
    return () => {};
  },
});

const stores = {
  page: {
    subscribe(listener) {
      listener(now());
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  },
  navigating: still(null),
  updated: { ...still(false), check: async () => false },
};

function navigation() {
  const { spy } = tools();
  const later = async () => {};
  const made = {};
  for (const name of ['goto', 'invalidate', 'invalidateAll', 'refreshAll', 'preloadCode']) made[name] = spy(name, later);
  for (const name of ['beforeNavigate', 'afterNavigate', 'onNavigate', 'disableScrollHandling']) made[name] = spy(name);
  made.preloadData = spy('preloadData', async () => ({ type: 'loaded', status: 200, data: {} }));
  for (const name of ['pushState', 'replaceState']) made[name] = spy(name, (url, state) => change({ state, url: url || now().url.href }));
  return { ...made, __esModule: true };
}

function resultOf(action) {
  const given = (options().actions ?? []).find((item) => item.action === undefined || item.action === action);
  const made = tools().make(given ?? { type: 'success', status: 200 });
  delete made.action;
  if (made.status === undefined) made.status = made.type === 'failure' ? 400 : made.type === 'redirect' ? 303 : made.type === 'error' ? 500 : 200;
  return made;
}

async function applyAction(result) {
  tools().record('applyAction', [result]);
  if (result.type === 'success' || result.type === 'failure') change({ form: result.data ?? null, status: result.status });
  else if (result.type === 'error') change({ error: result.error ?? { message: 'Error' }, status: result.status });
  await tick();
}

function enhance(form, submit = () => {}) {
  async function onsubmit(event) {
    const method = event.submitter?.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get';
    if (method.toLowerCase() !== 'post') return;
    event.preventDefault();
    const formData = new FormData(form, event.submitter ?? undefined);
    const address = event.submitter?.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
    const action = new URL(address, now().url);
    const controller = new AbortController();
    let cancelled = false;
    const cancel = () => (cancelled = true);
    const submitter = event.submitter ?? null;
    const callback = (await submit({ action, cancel, controller, formData, formElement: form, submitter })) ?? fallback;
    if (cancelled) return;
    const fields = {};
    for (const [name, value] of formData) {
      const item = typeof value === 'string' ? value : value.name;
      fields[name] = name in fields ? [fields[name], item].flat() : item;
    }
    tools().record('enhance', [address, fields]);
    const result = resultOf(address);
    const delay = (options().actions ?? []).find((item) => item.action === address)?.delay;
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    await callback({
      action, formData, formElement: form, result,
      update: (given) => fallback({ action, result, formElement: form, ...given }),
    });
  }
  async function fallback({ result, reset = true, invalidateAll = true }) {
    if (result.type === 'success') {
      if (reset) HTMLFormElement.prototype.reset.call(form);
      if (invalidateAll) tools().record('invalidateAll', []);
    }
    if (result.type === 'redirect') tools().record('goto', [result.location, { invalidateAll: true }]);
    await applyAction(result);
  }
  form.addEventListener('submit', onsubmit);
  return { destroy: () => form.removeEventListener('submit', onsubmit) };
}

const inPage = typeof document !== 'undefined';
const environment = () => ({
  browser: options().browser ?? inPage, dev: true, building: false, version: 'test', __esModule: true,
});
const values = (open) => Object.fromEntries(Object.entries(options().env ?? {}).filter(([name]) => name.startsWith('PUBLIC_') === open));
const path = (id, params = {}) => `${id}`.replace(/\/\([^)]+\)/g, '').replace(/\[\[?(?:\.\.\.)?(\w+)(?:=\w+)?\]?\]/g, (_, name) => params[name] ?? '');

let made;
let server;
const once = (make) => {
  let kept;
  return () => (kept ??= make());
};

export const standIns = {
  '$app/state': () => ({ page, navigating: { from: null, to: null, type: null }, updated: { current: false, check: async () => false }, __change: change, __esModule: true }),
  '$app/stores': () => ({ ...stores, getStores: () => stores, __esModule: true }),
  '$app/navigation': () => (made ??= navigation()),
  '$app/forms': () => ({ enhance, applyAction, deserialize: (text) => JSON.parse(text), __esModule: true }),
  '$app/environment': environment,
  '$app/env': environment,
  '$app/paths': () => ({ base: '', assets: '', resolve: path, asset: (file) => file, resolveRoute: path, __esModule: true }),
  '$app/server': () => (server ??= {
    getRequestEvent: () => registry['@sveltejs/kit/internal/server']().getRequestEvent(), read: tools().spy('read'), __esModule: true,
  }),
  '$env/static/private': once(() => ({ ...values(false), __esModule: true })),
  '$env/static/public': once(() => ({ ...values(true), __esModule: true })),
  '$env/dynamic/private': once(() => ({ env: values(false), __esModule: true })),
  '$env/dynamic/public': once(() => ({ env: values(true), __esModule: true })),
  './$types': () => ({ __esModule: true }),
};
