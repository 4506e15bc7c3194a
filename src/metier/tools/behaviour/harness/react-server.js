// React on a server: one render to a string.
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import registry from 'metier:registry';

globalThis.__metier = {
  registry,
  framework: {
    render: async (component, props) => ({ head: '', body: renderToString(createElement(component, props)) }),
    slot: (html) => createElement('span', { dangerouslySetInnerHTML: { __html: html } }),
  },
};
