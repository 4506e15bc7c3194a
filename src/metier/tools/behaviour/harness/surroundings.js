// Evaluated in the realm of the answer: the clock, the network, media and what a light DOM lacks.
// An expression: a function of what the harness offers; returns the controls of the clock.
(function (outer) {
  'use strict';
  const { options, record, make } = outer;
  const global = globalThis;
  const real = {
    setTimeout: global.setTimeout, clearTimeout: global.clearTimeout,
    setInterval: global.setInterval, clearInterval: global.clearInterval,
    Date: global.Date, now: global.performance.now.bind(global.performance),
  };
  const define = (holder, name, value) =>
    Object.defineProperty(holder, name, { value, writable: true, configurable: true, enumerable: false });
  const waiting = new Map(); // number of the timer -> { at, call, every }
  let clock = 0;
  let last = 0;

  function schedule(call, delay, every, args) {
    last += 1;
    const wait = Math.max(0, Number(delay) || 0);
    waiting.set(last, { at: clock + wait, order: last, every: every ? Math.max(1, wait) : 0,
      call: () => (typeof call === 'function' ? call(...args) : (0, eval)(`${call}`)) });
    return last;
  }

  function fakeDate(start) {
    const Real = real.Date;
    function FakeDate(...args) {
      if (!new.target) return new Real(start + clock).toString();
      return Reflect.construct(Real, args.length ? args : [start + clock], new.target);
    }
    FakeDate.prototype = Real.prototype;
    Object.setPrototypeOf(FakeDate, Real);
    FakeDate.now = () => start + Math.floor(clock);
    Real.prototype.constructor = FakeDate;
    define(global, 'Date', FakeDate);
  }

  function fakeTimers() {
    define(global, 'setTimeout', (call, delay, ...args) => schedule(call, delay, false, args));
    define(global, 'setInterval', (call, delay, ...args) => schedule(call, delay, true, args));
    const clear = (id) => waiting.delete(Number(id));
    define(global, 'clearTimeout', clear);
    define(global, 'clearInterval', clear);
    define(global, 'requestAnimationFrame', (call) => schedule(() => call(clock), 16 - (clock % 16), false, []));
    define(global, 'cancelAnimationFrame', clear);
    define(global, 'requestIdleCallback', (call) => schedule(() => call({ didTimeout: false, timeRemaining: () => 10 }), 1, false, []));
    define(global, 'cancelIdleCallback', clear);
    define(global.performance, 'now', () => clock);
  }

  async function advance(milliseconds) {
    const until = clock + milliseconds;
    for (let turns = 0; turns < 20000; turns += 1) {
      let soonest;
      for (const [id, timer] of waiting) {
        if (timer.at <= until && (!soonest || timer.at < soonest[1].at)) soonest = [id, timer];
      }
      if (!soonest) break;
      const [id, timer] = soonest;
      clock = Math.max(clock, timer.at);
      if (timer.every) timer.at = clock + timer.every;
      else waiting.delete(id);
      try {
        timer.call();
      } catch (error) {
        outer.uncaught(error);
      }
      await outer.breathe();
    }
    clock = until;
  }

  // With the real clock, timers are only counted, so that the judge knows when nothing can change.
  function countedTimers() {
    const pending = new Set();
    const wrap = (name, clearName, once) => {
      define(global, name, (call, delay, ...args) => {
        const id = real[name].call(global, (...given) => {
          if (once) pending.delete(id);
          return typeof call === 'function' ? call(...given) : (0, eval)(`${call}`);
        }, delay, ...args);
        pending.add(id);
        return id;
      });
      const clear = real[clearName];
      define(global, clearName, (id) => {
        pending.delete(id);
        clear.call(global, id);
      });
    };
    wrap('setTimeout', 'clearTimeout', true);
    wrap('setInterval', 'clearInterval', false);
    const frame = global.requestAnimationFrame;
    const cancel = global.cancelAnimationFrame;
    if (frame) {
      define(global, 'requestAnimationFrame', (call) => {
        const id = frame.call(global, (time) => {
          pending.delete(`f${id}`);
          return call(time);
        });
        pending.add(`f${id}`);
        return id;
      });
      define(global, 'cancelAnimationFrame', (id) => {
        pending.delete(`f${id}`);
        cancel.call(global, id);
      });
    }
    define(global, 'requestIdleCallback', (call) => global.setTimeout(() => call({ didTimeout: false, timeRemaining: () => 10 }), 1));
    define(global, 'cancelIdleCallback', (id) => global.clearTimeout(id));
    return pending;
  }

  function animate(keyframes, given) {
    const timing = typeof given === 'number' ? { duration: given } : (given ?? {});
    const started = global.performance.now();
    const total = (Number(timing.duration) || 0) * (timing.iterations ?? 1) + (timing.delay ?? 0);
    let settle;
    const animation = {
      playState: 'running', startTime: started, effect: { getTiming: () => timing, getComputedTiming: () => ({ progress: 1 }) },
      onfinish: null, oncancel: null, playbackRate: 1, id: timing.id ?? '',
      get currentTime() {
        return global.performance.now() - started;
      },
      set currentTime(_) {},
      finished: new Promise((resolve) => (settle = resolve)),
      listeners: [],
      addEventListener(type, listener) {
        if (type === 'finish') animation.listeners.push(listener);
      },
      removeEventListener() {},
      finish() {
        if (animation.playState === 'finished' || animation.playState === 'idle') return;
        animation.playState = 'finished';
        settle(animation);
        animation.onfinish?.({ type: 'finish' });
        for (const listener of animation.listeners) listener({ type: 'finish' });
      },
      cancel() {
        animation.playState = 'idle';
        global.clearTimeout(timer);
        animation.oncancel?.({ type: 'cancel' });
      },
      play() {}, pause() {}, reverse() {}, commitStyles() {}, persist() {}, updatePlaybackRate() {},
    };
    const timer = global.setTimeout(() => animation.finish(), Number.isFinite(total) ? total : 1e9);
    return animation;
  }

  function observers() {
    const seen = class {
      observe() {}
      unobserve() {}
      disconnect() {}
      takeRecords() {
        return [];
      }
    };
    define(global, 'IntersectionObserver', class IntersectionObserver extends seen {});
    define(global, 'ResizeObserver', class ResizeObserver extends seen {});
  }

  function matchMedia(query) {
    const folded = String(query).replace(/\s+/g, ' ').trim();
    const listeners = new Set();
    return {
      matches: options.media?.[folded] ?? false, media: folded, onchange: null,
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener),
      addListener: (listener) => listeners.add(listener), removeListener: (listener) => listeners.delete(listener),
      dispatchEvent: () => true,
    };
  }

  function element() {
    const proto = global.Element.prototype;
    const html = global.HTMLElement.prototype;
    define(proto, 'animate', function (keyframes, given) {
      return animate.call(this, keyframes, given);
    });
    define(proto, 'getAnimations', () => []);
    for (const name of ['scrollIntoView', 'scrollTo', 'scrollBy', 'scroll', 'setPointerCapture', 'releasePointerCapture']) {
      if (!proto[name]) define(proto, name, () => {});
    }
    if (!proto.hasPointerCapture) define(proto, 'hasPointerCapture', () => false);
    for (const name of ['scrollTo', 'scrollBy', 'scroll', 'print', 'focus', 'stop']) define(global, name, () => {});
    for (const name of ['alert', 'confirm', 'prompt']) {
      define(global, name, (...args) => {
        record(name, args);
        return name === 'confirm' ? (options.confirm ?? true) : name === 'prompt' ? (options.prompt ?? null) : undefined;
      });
    }
    if (!('innerText' in html)) {
      const text = Object.getOwnPropertyDescriptor(global.Node.prototype, 'textContent');
      Object.defineProperty(html, 'innerText', { get: text.get, set: text.set, configurable: true });
    }
    const dialog = global.HTMLDialogElement?.prototype;
    if (dialog && !dialog.showModal) {
      const open = function () {
        this.setAttribute('open', '');
      };
      define(dialog, 'show', open);
      define(dialog, 'showModal', open);
      define(dialog, 'close', function (value) {
        if (!this.hasAttribute('open')) return;
        if (value !== undefined) this.returnValue = value;
        this.removeAttribute('open');
        this.dispatchEvent(new global.Event('close'));
      });
    }
    const media = global.HTMLMediaElement.prototype;
    define(media, 'play', () => Promise.resolve());
    define(media, 'pause', () => {});
    define(media, 'load', () => {});
  }

  function reply(found, path) {
    if ('rejects' in found) throw new TypeError(found.rejects);
    const headers = new global.Headers(found.headers ?? {});
    let body = null;
    if ('json' in found) {
      body = JSON.stringify(make(found.json));
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    } else if ('text' in found) body = found.text;
    const response = new global.Response(body, { status: found.status ?? 200, headers });
    Object.defineProperty(response, 'url', { value: path, configurable: true });
    return response;
  }

  /** A `fetch` that answers from data and records what was asked. */
  function fetcher(answers, name, base) {
    const turns = new Map();
    return async function fetch(asked, init = {}) {
      const from = typeof asked === 'object' && asked !== null && 'url' in asked && !('href' in asked) ? asked : undefined;
      const url = new URL(from ? from.url : `${asked}`, base);
      const method = `${init.method ?? from?.method ?? 'GET'}`.toUpperCase();
      const path = `${url.pathname}${url.search}`;
      const own = url.origin === new URL(base).origin;
      let body = init.body ?? (from?.body ? await from.clone().text() : undefined);
      if (typeof body === 'string') {
        try {
          body = JSON.parse(body);
        } catch {}
      }
      record(name, [method, own ? path : url.href, body]);
      const found = (answers ?? []).find((answer) =>
        (!answer.method || answer.method.toUpperCase() === method) && [path, url.pathname, url.href].includes(answer.url));
      if (!found) throw new TypeError(`fetch failed: nothing answers ${method} ${own ? path : url.href}`);
      const turn = turns.get(found) ?? 0;
      turns.set(found, turn + 1);
      const chosen = found.each ? { ...found, ...found.each[Math.min(turn, found.each.length - 1)] } : found;
      const signal = init.signal ?? from?.signal;
      const aborted = () => signal.reason ?? new global.DOMException('This operation was aborted', 'AbortError');
      if (signal?.aborted) throw aborted();
      if (chosen.delay) {
        await new Promise((resolve, reject) => {
          global.setTimeout(resolve, chosen.delay);
          signal?.addEventListener('abort', () => reject(aborted()));
        });
      }
      return reply(chosen, url.href);
    };
  }

  let pending = waiting;
  const started = options.now ? real.Date.parse(options.now) : undefined;
  if (options.clock === 'fake') {
    fakeDate(started ?? real.Date.parse('2026-01-01T00:00:00Z'));
    fakeTimers();
  } else {
    pending = countedTimers();
    if (started !== undefined) {
      const begun = real.now();
      fakeDate(started);
      global.Date.now = () => started + Math.floor(real.now() - begun);
    }
  }
  if (options.random) {
    let turn = 0;
    const given = options.random;
    define(Math, 'random', () => given[turn++ % given.length]);
  }
  if (global.Element) {
    element();
    observers();
    define(global, 'matchMedia', matchMedia);
    for (const [name, stored] of [['localStorage', options.stored], ['sessionStorage', options.session_stored]]) {
      for (const key of Object.keys(stored ?? {})) global[name].setItem(key, `${stored[key]}`);
    }
  }
  define(global, 'fetch', fetcher(options.fetch, 'fetch', outer.base));
  return { advance, fetcher, pending: () => pending.size };
})
