// Writes any value as JSON that the judge can compare, and says of each what it is.
// Knows nothing of pages or frameworks. Everything it calls was taken before an answer was loaded.
import { types } from 'node:util';

const apply = Reflect.apply;
const ownKeys = Reflect.ownKeys;
const isArray = Array.isArray;
const getPrototypeOf = Reflect.getPrototypeOf;
const hasOwn = Object.hasOwn;
const tagOf = Object.prototype.toString;
const dateTime = Date.prototype.getTime;
const { isDate, isMap, isSet, isRegExp, isPromise, isNativeError, isBoxedPrimitive } = types;

const DEEPEST = 24;
const MOST = 5000;

function number(value) {
  if (value !== value) return { $number: 'nan' };
  if (value === Infinity) return { $number: 'inf' };
  if (value === -Infinity) return { $number: '-inf' };
  return value;
}

function primitive(value) {
  switch (typeof value) {
    case 'string':
      return value.length > 200_000 ? value.slice(0, 200_000) : value;
    case 'boolean':
      return value;
    case 'number':
      return number(value);
    case 'undefined':
      return { $undefined: true };
    case 'bigint':
      return { $bigint: `${value}` };
    case 'symbol':
      return { $symbol: true };
    case 'function':
      return { $function: true };
    default:
      return null;
  }
}

function tag(value) {
  try {
    return apply(tagOf, value, []);
  } catch {
    return '[object Object]';
  }
}

function className(value) {
  try {
    const prototype = getPrototypeOf(value);
    if (prototype === null) return '';
    const name = prototype.constructor?.name;
    return typeof name === 'string' && name !== 'Object' ? name : '';
  } catch {
    return '';
  }
}

function members(value, write) {
  const found = {};
  for (const key of ownKeys(value)) {
    if (typeof key !== 'string') continue;
    const described = Reflect.getOwnPropertyDescriptor(value, key);
    if (!described?.enumerable) continue;
    found[key] = write(() => value[key]);
  }
  return found;
}

function builtIn(value, write) {
  if (isDate(value)) {
    const time = apply(dateTime, value, []);
    return { $date: time === time ? new Date(time).toISOString() : 'invalid' };
  }
  if (isMap(value)) {
    return { $map: [...value].map(([key, item]) => [write(() => key), write(() => item)]) };
  }
  if (isSet(value)) return { $set: [...value].map((item) => write(() => item)) };
  if (isRegExp(value)) return { $regexp: `${value}` };
  if (isPromise(value)) return { $promise: true };
  if (isNativeError(value) || tag(value) === '[object DOMException]') {
    return { $error: `${value.message}`, name: `${value.name}` };
  }
  if (isBoxedPrimitive(value)) return write(() => value.valueOf());
  return undefined;
}

function tagged(value) {
  const name = tag(value);
  if (name === '[object URL]') return { $url: `${value.href}` };
  if (name === '[object URLSearchParams]') return { $search: `${value}` };
  if (name === '[object FormData]') {
    return { $form: [...value].map(([key, item]) => [key, typeof item === 'string' ? item : item.name]) };
  }
  if (name === '[object Headers]') return { $headers: [...value] };
  if (typeof value.nodeType === 'number' && typeof value.nodeName === 'string') {
    return { $node: value.nodeName.toLowerCase() };
  }
  return undefined;
}

/** The value as JSON: plain things as they are, others as a table with one key that begins with `$`. */
export function encode(root) {
  let left = MOST;
  const above = [];
  function write(get) {
    let value;
    try {
      value = get();
    } catch (error) {
      return { $thrown: describe(error).message };
    }
    const kind = typeof value;
    if ((kind !== 'object' || value === null) && kind !== 'function') return primitive(value);
    if (kind === 'function') return { $function: true, name: `${value.name ?? ''}` };
    left -= 1;
    if (left < 0 || above.length >= DEEPEST) return { $cut: true };
    if (above.includes(value)) return { $cycle: true };
    above.push(value);
    try {
      return composite(value);
    } catch (error) {
      return { $thrown: describe(error).message };
    } finally {
      above.pop();
    }
  }
  function composite(value) {
    const special = builtIn(value, write);
    if (special !== undefined) return special;
    if (isArray(value)) {
      const list = [];
      for (let index = 0; index < value.length && index < MOST; index += 1) {
        list.push(write(() => value[index]));
      }
      return list;
    }
    const other = tagged(value);
    if (other !== undefined) return other;
    const found = members(value, write);
    const name = className(value);
    if (name) return { $instance: name, members: found };
    for (const key in found) if (hasOwn(found, key) && key[0] === '$') return { $plain: found };
    return found;
  }
  return write(() => root);
}

/** A message without the component trail that Svelte adds to it in development. */
const bare = (message) => {
  const at = message.indexOf('\n\n\tin ');
  return at < 0 ? message : message.slice(0, at);
};

/** Name and message of whatever was thrown, without trusting it. */
export function describe(error) {
  try {
    if (error !== null && typeof error === 'object') {
      return {
        name: typeof error.name === 'string' ? error.name : 'Error',
        message: typeof error.message === 'string' ? bare(error.message) : `${apply(tagOf, error, [])}`,
      };
    }
    return { name: 'thrown', message: typeof error === 'symbol' ? 'a symbol' : `${error}` };
  } catch {
    return { name: 'Error', message: 'an error that cannot be read' };
  }
}

/** A console line: texts as they are, everything else as JSON, parted by spaces. */
export function line(parts) {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const written = encode(part);
      if (written?.$error !== undefined) return `${written.name}: ${written.$error}`;
      if (written?.$undefined) return 'undefined';
      if (written?.$function) return '[function]';
      return stringify(written);
    })
    .join(' ')
    .slice(0, 5000);
}

export const stringify = JSON.stringify;
