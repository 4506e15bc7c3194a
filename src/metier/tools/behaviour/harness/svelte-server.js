// Svelte 5 and SvelteKit on a server: rendering, and requests within kit's own store.
import { createRawSnippet } from 'svelte';
import { render } from 'svelte/server';
import registry from 'metier:registry';
import { within } from 'metier:requests';

globalThis.__metier = {
  registry,
  framework: {
    async render(component, props) {
      const { head, body } = await render(component, { props });
      return { head, body };
    },
    slot: (html) => createRawSnippet(() => ({ render: () => html })),
    request: within,
  },
};
