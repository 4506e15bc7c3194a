// Svelte 4 in a page: components are classes.
import { tick } from 'svelte';
import { flush } from 'svelte/internal';
import registry from 'metier:registry';

let shown;

globalThis.__metier = {
  registry,
  framework: {
    async mount(component, props, body, events) {
      const target = body.ownerDocument.createElement('div');
      body.append(target);
      const instance = new component({ target, props });
      for (const name of Object.keys(events)) instance.$on(name, (event) => events[name](event.detail));
      shown = { target, instance };
      await tick();
      return instance;
    },
    async set(props) {
      shown.instance.$set(props);
      await tick();
    },
    unmount() {
      shown.instance.$destroy();
      shown.target.remove();
    },
    slot() {
      throw new Error('$html is not available with Svelte 4: write a given component that fills the slot');
    },
    flush: () => flush(),
    around(act) {
      const result = act();
      flush();
      return result;
    },
  },
};
