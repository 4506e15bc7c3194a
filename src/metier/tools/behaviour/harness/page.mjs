// What stands in the page, and what a person does to it. Every name that a task looks for stays
// with the judge: the page only says what it holds of a kind, and acts on what it was pointed at.
import { queryAllByRole, configure, fireEvent } from '@testing-library/dom';
import { userEvent } from '@testing-library/user-event';
import {
  computeAccessibleDescription, computeAccessibleName, getRole,
} from 'dom-accessibility-api';

const MOST = 1000;
const CONTROLS = 'input, select, textarea, button, meter, output, progress';
const HELD = new Set(['BUTTON', 'METER', 'OUTPUT', 'PROGRESS', 'SELECT', 'TEXTAREA', 'INPUT', 'SCRIPT', 'STYLE']);
const SET_AT_ONCE = new Set(['date', 'time', 'month', 'week', 'datetime-local', 'color', 'range']);

/** The getters of this window's prototypes, taken before an answer was loaded. */
function takeReaders(window) {
  const get = (owner, name) => {
    const getter = Object.getOwnPropertyDescriptor(window[owner].prototype, name).get;
    return (node) => Reflect.apply(getter, node, []);
  };
  const method = (owner, name) => {
    const found = window[owner].prototype[name];
    return (node, ...args) => Reflect.apply(found, node, args);
  };
  return {
    text: get('Node', 'textContent'), html: get('Element', 'innerHTML'),
    attribute: method('Element', 'getAttribute'), names: method('Element', 'getAttributeNames'),
    parent: get('Node', 'parentElement'), children: get('Node', 'childNodes'),
    tag: get('Element', 'tagName'), matches: method('Element', 'matches'),
    all: method('Element', 'querySelectorAll'), allOf: method('Document', 'querySelectorAll'),
    contains: method('Node', 'contains'), focused: get('Document', 'activeElement'),
    value: {
      INPUT: get('HTMLInputElement', 'value'), TEXTAREA: get('HTMLTextAreaElement', 'value'),
      SELECT: get('HTMLSelectElement', 'value'), OPTION: get('HTMLOptionElement', 'value'),
      OUTPUT: get('HTMLOutputElement', 'value'), BUTTON: get('HTMLButtonElement', 'value'),
      PROGRESS: get('HTMLProgressElement', 'value'), METER: get('HTMLMeterElement', 'value'),
    },
    checked: get('HTMLInputElement', 'checked'), selected: get('HTMLOptionElement', 'selected'),
    set: Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, 'value').set,
  };
}

/** What was read from a page must come through the methods that were there at the beginning. */
const WATCHED = [
  ['Node', 'textContent'], ['Node', 'childNodes'], ['Node', 'parentNode'], ['Node', 'nodeValue'],
  ['Node', 'ownerDocument'], ['Node', 'contains'], ['CharacterData', 'data'], ['Element', 'innerHTML'],
  ['Element', 'getAttribute'], ['Element', 'hasAttribute'], ['Element', 'querySelectorAll'],
  ['Element', 'querySelector'], ['Element', 'matches'], ['Element', 'closest'], ['Element', 'tagName'],
  ['Element', 'children'], ['Document', 'querySelectorAll'], ['Document', 'querySelector'],
  ['Document', 'body'], ['Document', 'documentElement'], ['Document', 'getElementById'], ['Document', 'activeElement'],
  ['HTMLInputElement', 'value'], ['HTMLInputElement', 'checked'], ['HTMLTextAreaElement', 'value'],
  ['HTMLSelectElement', 'value'], ['HTMLInputElement', 'labels'], ['HTMLElement', 'hidden'],
];

function watch(window) {
  const taken = WATCHED.map(([owner, name]) => {
    const prototype = window[owner].prototype;
    const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    return { owner, name, prototype, value, get, set };
  });
  const style = window.getComputedStyle;
  const described = Object.getOwnPropertyDescriptor;
  const document = window.document;
  return () => {
    for (const was of taken) {
      const now = described(was.prototype, was.name) ?? {};
      if (now.value !== was.value || now.get !== was.get || now.set !== was.set) return `${was.owner}.${was.name}`;
    }
    if (window.getComputedStyle !== style) return 'getComputedStyle';
    for (const name of ['querySelectorAll', 'querySelector', 'body', 'getElementById', 'activeElement', 'documentElement']) {
      if (described(document, name) !== undefined) return `document.${name}`;
    }
    return '';
  };
}

export function openPage(window, around) {
  const read = takeReaders(window);
  const meddled = watch(window);
  const document = window.document;
  const style = window.getComputedStyle.bind(window);
  const numbers = new WeakMap();
  const nodes = new Map();
  let last = 0;
  configure({ eventWrapper: (act) => around(act), asyncWrapper: (act) => act(), getElementError: (message) => new Error(message) });
  let user = userEvent.setup({ document, delay: null, pointerEventsCheck: 0 });

  function numberOf(node) {
    let number = numbers.get(node);
    if (number === undefined) {
      number = last += 1;
      numbers.set(node, number);
      nodes.set(number, node);
    }
    return number;
  }

  function labelText(node) {
    if (node.nodeType === 3) return node.nodeValue;
    if (node.nodeType !== 1 || HELD.has(read.tag(node))) return '';
    return [...read.children(node)].map(labelText).join('');
  }

  function labelsOf(node) {
    const keys = [];
    for (const label of node.labels ?? []) keys.push(labelText(label));
    const named = read.attribute(node, 'aria-label');
    if (named !== null) keys.push(named);
    for (const id of (read.attribute(node, 'aria-labelledby') ?? '').split(/\s+/)) {
      const other = id && document.getElementById(id);
      if (other) keys.push(read.text(other));
    }
    if (keys.length > 0) keys.push(computeAccessibleName(node));
    return keys;
  }

  const isSecret = (node) => ['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT'].includes(read.tag(node));

  function everything(scope, selector) {
    return scope === document ? [...read.allOf(document, selector)] : [...read.all(scope, selector)];
  }

  const ways = {
    css: (scope, asked) => everything(scope, asked.value).map((node) => [node, []]),
    role: (scope, asked) =>
      queryAllByRole(scope === document ? document.documentElement : scope, asked.value, { hidden: asked.hidden ?? false })
        .map((node) => [node, [computeAccessibleName(node)]]),
    label: (scope) => everything(scope, `${CONTROLS}, [aria-label], [aria-labelledby]`)
      .map((node) => [node, labelsOf(node)]).filter(([, keys]) => keys.length > 0),
    text: (scope) => everything(scope === document ? document.body : scope, '*')
      .filter((node) => !isSecret(node)).map((node) => [node, [read.text(node)]]),
    attribute: (scope, asked) => everything(scope, `[${asked.value}]`)
      .map((node) => [node, [read.attribute(node, asked.value)]]),
    number: (scope, asked) => (nodes.has(asked.value) ? [[nodes.get(asked.value), []]] : []),
  };

  function visible(node) {
    for (let at = node; at; at = read.parent(at)) {
      const computed = style(at);
      if (computed.display === 'none' || computed.opacity === '0') return false;
      if (at === node && ['hidden', 'collapse'].includes(computed.visibility)) return false;
      if (read.attribute(at, 'hidden') !== null && computed.display !== 'block') return false;
      if (read.tag(at) === 'DIALOG' && read.attribute(at, 'open') === null) return false;
      const above = read.parent(at);
      if (above && read.tag(above) === 'DETAILS' && read.attribute(above, 'open') === null && read.tag(at) !== 'SUMMARY') return false;
    }
    return read.contains(document, node);
  }

  function valueOf(node) {
    const tag = read.tag(node);
    if (tag === 'SELECT' && node.multiple) return [...node.selectedOptions].map((option) => option.value).join(',');
    const getter = read.value[tag];
    return getter === undefined ? null : `${getter(node)}`;
  }

  function truth(node, name) {
    const said = read.attribute(node, `aria-${name}`);
    return said === null ? null : said === 'true' || said === 'mixed';
  }

  const wanted = {
    text: (node) => read.text(node),
    value: valueOf,
    html: (node) => read.html(node),
    attributes: (node) => Object.fromEntries(read.names(node).map((name) => [name, read.attribute(node, name)])),
    checked: (node) => (read.tag(node) === 'INPUT' ? read.checked(node) : truth(node, 'checked')),
    disabled: (node) => read.matches(node, ':disabled') || read.attribute(node, 'aria-disabled') === 'true',
    focused: (node) => read.focused(document) === node,
    required: (node) => node.required === true || read.attribute(node, 'aria-required') === 'true',
    selected: (node) => (read.tag(node) === 'OPTION' ? read.selected(node) : truth(node, 'selected')),
    open: (node) => read.attribute(node, 'open') !== null,
    invalid: (node) => read.attribute(node, 'aria-invalid') === 'true' || (node.willValidate === true && !node.validity.valid),
    readonly: (node) => node.readOnly === true || read.attribute(node, 'aria-readonly') === 'true',
    visible,
    name: (node) => computeAccessibleName(node),
    description: (node) => computeAccessibleDescription(node),
    role: (node) => read.attribute(node, 'role') ?? getRole(node) ?? '',
    level: (node) => Number(read.attribute(node, 'aria-level') ?? /^H([1-6])$/.exec(read.tag(node))?.[1] ?? 0),
    pressed: (node) => truth(node, 'pressed'),
    expanded: (node) => (read.tag(node) === 'DETAILS' ? read.attribute(node, 'open') !== null : truth(node, 'expanded')),
    current: (node) => read.attribute(node, 'aria-current'),
    above(node) {
      const ids = [];
      for (let at = read.parent(node); at; at = read.parent(at)) ids.push(numberOf(at));
      return ids;
    },
  };

  function find(asked) {
    const scope = asked.in === undefined ? document : nodes.get(asked.in);
    if (scope === undefined) return [];
    const found = ways[asked.by](scope, asked);
    return found.slice(0, MOST).map(([node, keys]) => {
      const said = { id: numberOf(node), keys };
      for (const want of asked.want ?? []) said[want] = wanted[want](node);
      if (asked.style) {
        const computed = style(node);
        said.style = Object.fromEntries(asked.style.map((name) => [name,
          computed.getPropertyValue(name) || node.style?.getPropertyValue(name) || '']));
      }
      return said;
    });
  }

  function pointed(asked) {
    if (asked.id === 'window') return window;
    if (asked.id === 'document') return document;
    const node = nodes.get(asked.id);
    if (node === undefined) throw new Error('the element is gone');
    return node;
  }

  function setAtOnce(node, value) {
    around(() => node.focus());
    Reflect.apply(read.set, node, [value]);
    fireEvent(node, new window.InputEvent('input', { bubbles: true }));
    fireEvent(node, new window.Event('change', { bubbles: true }));
  }

  function keys(asked) {
    const parts = asked.key.length > 1 ? asked.key.split('+').map((part) => part || '+') : [asked.key];
    return { key: { Space: ' ', Esc: 'Escape', Del: 'Delete' }[parts.at(-1)] ?? parts.at(-1), held: parts.slice(0, -1) };
  }

  async function press(asked) {
    const { key, held } = keys(asked);
    const target = asked.id === undefined ? undefined : pointed(asked);
    if (target !== undefined && typeof target.focus === 'function' && target !== window) around(() => target.focus());
    if (target !== undefined && read.focused(document) !== target) {
      const code = key.length === 1 ? (/[a-z]/i.test(key) ? `Key${key.toUpperCase()}` : /\d/.test(key) ? `Digit${key}` : '') : key;
      const init = { key, code: key === ' ' ? 'Space' : code, bubbles: true, cancelable: true, composed: true };
      for (const name of held) init[{ Control: 'ctrlKey', Ctrl: 'ctrlKey', Shift: 'shiftKey', Alt: 'altKey', Meta: 'metaKey' }[name] ?? name] = true;
      for (const type of ['keydown', 'keyup']) fireEvent(target, new window.KeyboardEvent(type, init));
      return;
    }
    if (key === 'Tab') return user.tab({ shift: held.includes('Shift') });
    const full = held.map((name) => (name === 'Ctrl' ? 'Control' : name));
    const middle = key === ' ' ? '[Space]' : key === '{' ? '{{' : key === '[' ? '[[' : key.length === 1 ? key : `{${key}}`;
    return user.keyboard(`${full.map((name) => `{${name}>}`).join('')}${middle}${full.map((name) => `{/${name}}`).join('')}`);
  }

  const escaped = (text) => text.replace(/\[/g, '[[');

  const acts = {
    async click(asked) {
      for (let turn = 0; turn < (asked.times ?? 1); turn += 1) await user.click(pointed(asked));
    },
    dblclick: (asked) => user.dblClick(pointed(asked)),
    hover: (asked) => user.hover(pointed(asked)),
    unhover: (asked) => user.unhover(pointed(asked)),
    focus: (asked) => around(() => pointed(asked).focus()),
    blur: (asked) => around(() => pointed(asked).blur()),
    type: (asked) => user.type(pointed(asked), escaped(asked.text)),
    async fill(asked) {
      const node = pointed(asked);
      if (SET_AT_ONCE.has(node.type)) return setAtOnce(node, asked.text);
      await user.clear(node);
      if (asked.text !== '') await user.type(node, escaped(asked.text));
    },
    clear: (asked) => user.clear(pointed(asked)),
    press,
    choose: (asked) => user.selectOptions(pointed(asked), asked.choices.length === 1 ? asked.choices[0] : asked.choices),
    upload: (asked) => user.upload(pointed(asked), asked.files.map((file) =>
      new window.File([file.text ?? ''], file.name, { type: file.type ?? '' }))),
    submit: (asked) => around(() => pointed(asked).requestSubmit()),
    fire(asked) {
      const init = { bubbles: true, cancelable: true, composed: true, ...asked.init };
      const made = asked.init && 'detail' in asked.init ? new window.CustomEvent(asked.event, init)
        : event(window, asked.event, init);
      return fireEvent(pointed(asked), made);
    },
  };

  return {
    find, meddled, document,
    act: (asked) => acts[asked.verb](asked),
    again() {
      nodes.clear();
      user = userEvent.setup({ document, delay: null, pointerEventsCheck: 0 });
    },
  };
}

function event(window, type, init) {
  const families = [
    [/^pointer|^(got|lost)pointercapture/, 'PointerEvent'], [/^mouse|^(dbl)?click$|^contextmenu$|^auxclick$/, 'MouseEvent'],
    [/^key/, 'KeyboardEvent'], [/^(before)?input$/, 'InputEvent'], [/^focus|^blur$/, 'FocusEvent'], [/^wheel$/, 'WheelEvent'],
    [/^touch/, 'TouchEvent'], [/^storage$/, 'StorageEvent'], [/^submit$/, 'SubmitEvent'], [/^message$/, 'MessageEvent'],
    [/^popstate$/, 'PopStateEvent'], [/^hashchange$/, 'HashChangeEvent'],
  ];
  const name = families.find(([pattern]) => pattern.test(type))?.[1];
  const Made = (name && window[name]) || window.Event;
  const made = new Made(type, init);
  for (const key of Object.keys(init)) {
    if (made[key] === undefined) Object.defineProperty(made, key, { value: init[key], configurable: true });
  }
  return made;
}
