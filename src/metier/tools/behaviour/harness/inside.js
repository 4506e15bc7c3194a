// Evaluated in the realm of the answer before the answer: makes values, spies and modules there.
// An expression: a function of what the harness outside this realm offers; returns what it may call.
(function (outer) {
  'use strict';
  const { record, next } = outer;
  const modules = new Map(); // path -> { code, module }
  const registry = outer.registry;
  const kept = new Map(); // what steps remembered with `as`
  const parse = JSON.parse;
  const realPromise = Promise;
  const global = globalThis;
  const apply = Reflect.apply;

  function spy(name, fallback) {
    function spied(...args) {
      record(name, args);
      const set = next(name);
      if (set === undefined) return fallback === undefined ? undefined : apply(fallback, this, args);
      if ('throws' in set) throw new Error(set.throws);
      if ('rejects' in set) return realPromise.reject(new Error(set.rejects));
      if ('resolves' in set) return realPromise.resolve(make(set.resolves));
      return make(set.returns);
    }
    return spied;
  }

  const makers = {
    $spy(given) {
      outer.program(given.$spy, given);
      return spy(given.$spy);
    },
    $null: () => null,
    $undefined: () => undefined,
    $date: (given) => new Date(given.$date),
    $url: (given) => new URL(given.$url, 'http://localhost/'),
    $regexp: (given) => new RegExp(given.$regexp, given.flags ?? ''),
    $bigint: (given) => BigInt(given.$bigint),
    $number: (given) => Number(given.$number === 'inf' ? Infinity : given.$number === '-inf' ? -Infinity : NaN),
    $map: (given) => new Map(given.$map.map(([key, value]) => [make(key), make(value)])),
    $set: (given) => new Set(given.$set.map(make)),
    $error(given) {
      const known = { Error, TypeError, RangeError, SyntaxError };
      const error = new (known[given.name] ?? Error)(given.$error);
      if (given.name && !known[given.name]) error.name = given.name;
      return error;
    },
    $html: (given) => outer.framework.slot(given.$html),
    $component: (given) => pick(load(given.$component), given.export),
    $function: (given) => (0, eval)(`(${given.$function})`),
    $ref: (given) => resolve(given.$ref, given.file).value,
    $event: (given) => outer.kit.event(given.$event).event,
    $request: (given) => outer.kit.event(given.$request).event.request,
    $form: (given) => outer.kit.form(given.$form),
  };

  function make(given) {
    if (given === null || typeof given !== 'object') return given;
    if (Array.isArray(given)) return given.map(make);
    for (const key in makers) if (Object.hasOwn(given, key)) return makers[key](given);
    const made = {};
    for (const key of Object.keys(given)) made[key] = make(given[key]);
    return made;
  }

  const ENDINGS = ['', '.js', '.ts', '.svelte', '.svelte.js', '.svelte.ts', '.jsx', '.tsx', '.json'];

  function joined(from, to) {
    const parts = from.split('/').slice(0, -1);
    for (const part of to.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.' && part !== '') parts.push(part);
    }
    return parts.join('/');
  }

  function present(path) {
    for (const ending of ENDINGS) if (modules.has(path + ending)) return path + ending;
    for (const ending of ENDINGS) if (modules.has(`${path}/index${ending}`)) return `${path}/index${ending}`;
    const swapped = path.replace(/\.js$/, '.ts').replace(/\.jsx$/, '.tsx');
    return modules.has(swapped) ? swapped : undefined;
  }

  function locate(name, from) {
    if (modules.has(name)) return name;
    if (name[0] === '.') return present(joined(from, name));
    if (name[0] === '/') return present(name.slice(1)) ?? present(`src${name}`);
    if (name === '$lib' || name.startsWith('$lib/')) {
      const rest = name.slice(5);
      return present(rest ? `src/lib/${rest}` : 'src/lib') ?? present(rest ? `lib/${rest}` : 'lib');
    }
    return present(name);
  }

  function required(name, from) {
    const path = locate(name, from);
    if (path !== undefined) return load(path);
    if (name === 'metier:spies') return { spy };
    const known = outer.standIn(name) ?? name;
    if (Object.hasOwn(registry, known)) return registry[known]();
    if (/\.(css|scss|sass|less|svg|png|jpe?g|webp|gif)(\?.*)?$/.test(name)) return { __esModule: true, default: name };
    throw new Error(`Cannot find module '${name}' imported from '${from}'`);
  }

  function load(path) {
    const entry = modules.get(path);
    if (entry === undefined) throw new Error(`There is no file '${path}'`);
    if (entry.module === undefined) {
      entry.module = { exports: {} };
      const from = (name) => required(name, path);
      const run = outer.compile(
        `(function (module, exports, require, __import) {${entry.code}\n})`,
        path,
      );
      apply(run, undefined, [entry.module, entry.module.exports, from, (name) =>
        realPromise.resolve().then(() => from(name))]);
    }
    return entry.module.exports;
  }

  function pick(exported, name) {
    if (name !== undefined) return exported[name];
    if (exported.default !== undefined) return exported.default;
    const components = Object.keys(exported).filter((key) => typeof exported[key] === 'function');
    if (components.length === 1) return exported[components[0]];
    throw new Error('the file has no default export');
  }

  function steps(path) {
    return path.replace(/\[(\w+|'[^']*'|"[^"]*")\]/g, (_, key) => `.${key.replace(/['"]/g, '')}`).split('.');
  }

  function resolve(path, file) {
    const names = steps(path);
    const first = names[0];
    let holder = kept.has(first) ? undefined : load(file ?? outer.entry());
    let value = kept.has(first) ? kept.get(first) : holder[first];
    if (value === undefined && holder !== undefined && !(first in holder) && outer.instance()) {
      holder = outer.instance();
      value = holder[first];
    }
    for (const name of names.slice(1)) {
      if (value === undefined || value === null) throw new TypeError(`'${path}': there is no '${name}' of ${value}`);
      holder = value;
      value = holder[name];
    }
    if (holder !== undefined && names.length === 1 && !(first in holder)) {
      throw new ReferenceError(`nothing is called '${first}': the file does not export it`);
    }
    return { holder, name: names[names.length - 1], value };
  }

  function call(request, args) {
    const { holder, value } = resolve(request.name, request.file);
    if (typeof value !== 'function') throw new TypeError(`'${request.name}' is not a function`);
    if (request.make) return Reflect.construct(value, args);
    return apply(value, steps(request.name).length > 1 ? holder : undefined, args);
  }

  function collected(value, most) {
    const list = [];
    const iterator = value[Symbol.asyncIterator]?.() ?? value[Symbol.iterator]();
    const turn = (step) => {
      if (!step.done) list[list.length] = step.value;
      return step.done || list.length >= most;
    };
    function sync() {
      for (;;) {
        const step = iterator.next();
        if (typeof step.then === 'function') return step.then(async (first) => {
          if (turn(first)) return list;
          while (!turn(await iterator.next()));
          return list;
        });
        if (turn(step)) return list;
      }
    }
    return sync();
  }

  return {
    make: (text) => make(parse(text)),
    spy,
    add(path, code) {
      modules.set(path, { code, module: undefined });
    },
    load,
    component: (path, name) => pick(load(path), name),
    resolve,
    read: (path, file) => resolve(path, file).value,
    assign(path, value) {
      const { holder, name } = resolve(path);
      holder[name] = value;
    },
    call: (request, text) => call(request, make(parse(text))),
    collected,
    keep: (name, value) => kept.set(name, value),
    scope() {
      const all = {};
      for (const [name, value] of kept) all[name] = value;
      return new Proxy(all, { get: (own, key) => (key in own ? own[key] : load(outer.entry())[key]) });
    },
    evaluate: (text) => (0, eval)(`(${text})`),
    registry,
    global,
  };
})
