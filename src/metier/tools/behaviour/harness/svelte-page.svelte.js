// Svelte 5 in a page: how components are mounted, changed and flushed, and how effects are rooted.
import { createRawSnippet, flushSync, mount, tick, unmount } from 'svelte';
import registry from 'metier:registry';

let shown;
let change;

/** Props that may change one by one, each as it was given: not made deeply reactive. */
function changeable(initial) {
  let current = $state.raw(initial);
  change = (next) => (current = { ...current, ...next });
  return new Proxy({}, {
    get: (_, key) => current[key],
    set: (_, key, value) => (change({ [key]: value }), true),
    has: (_, key) => key in current,
    ownKeys: () => Reflect.ownKeys(current),
    getOwnPropertyDescriptor: (_, key) =>
      key in current ? { get: () => current[key], set: (value) => change({ [key]: value }), enumerable: true, configurable: true } : undefined,
  });
}

function slot(html) {
  const holder = document.createElement('div');
  holder.innerHTML = html;
  const whole = holder.childNodes.length === 1 && holder.firstElementChild ? html : `<span>${html}</span>`;
  return createRawSnippet(() => ({ render: () => whole }));
}

function rooted(act) {
  let result;
  $effect.root(() => {
    result = act();
  });
  return result;
}

globalThis.__metier = {
  registry,
  framework: {
    async mount(component, props, body, events) {
      const target = body.ownerDocument.createElement('div');
      body.append(target);
      shown = { target, instance: mount(component, { target, props: changeable(props), events }) };
      flushSync();
      await tick();
      return shown.instance;
    },
    set(props) {
      change(props);
      flushSync();
    },
    async unmount() {
      await unmount(shown.instance);
      flushSync();
      shown.target.remove();
    },
    slot,
    flush: () => flushSync(),
    around(act) {
      const result = act();
      flushSync();
      return result;
    },
    root: rooted,
    effect: (look) => $effect.root(() => {
      $effect(() => {
        look();
      });
    }),
  },
};
