// React in a page: every act is wrapped, so that updates and effects are done before it is read.
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import registry from 'metier:registry';

let shown;
// What synchronous acts left undone (a component that waits for a promise with `use`): React goes
// on with it only when somebody awaits those acts.
let undone = [];

async function during(work) {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  let result;
  try {
    const earlier = undone;
    undone = [];
    for (const one of earlier) await one;
    await act(async () => {
      result = [await work()];
    });
  } finally {
    globalThis.IS_REACT_ACT_ENVIRONMENT = false;
  }
  return result[0];
}

function around(work) {
  const before = globalThis.IS_REACT_ACT_ENVIRONMENT;
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  let result;
  try {
    const done = act(() => {
      result = work();
    });
    undone.push(done);
  } finally {
    globalThis.IS_REACT_ACT_ENVIRONMENT = before;
  }
  return result;
}

const render = () => during(() => shown.root.render(createElement(shown.component, shown.props)));

globalThis.__metier = {
  registry,
  framework: {
    async mount(component, props, body) {
      const target = body.ownerDocument.createElement('div');
      body.append(target);
      shown = { component, props, target, root: createRoot(target) };
      await render();
      return {};
    },
    set(props) {
      shown.props = { ...shown.props, ...props };
      return render();
    },
    async unmount() {
      await during(() => shown.root.unmount());
      shown.target.remove();
    },
    slot: (html) => createElement('span', { dangerouslySetInnerHTML: { __html: html } }),
    flush: () => during(() => {}),
    during,
    around,
  },
};
