// The warm worker of the judge: bundles the harness once for each toolchain, and turns the files of
// an answer into modules that the harness can load. It never runs what it is given; one line of JSON
// for one line of JSON. argv: folders with node_modules, the framework's own first.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const folders = process.argv.slice(2).map((folder) => path.join(folder, 'node_modules'));

/** A package from the first toolchain that has it. */
function from(name) {
  const folder = folders.find((candidate) => fs.existsSync(path.join(candidate, name, 'package.json')));
  return folder && createRequire(path.join(folder, 'x.js'))(name);
}

const esbuild = from('esbuild');
const hasSvelte = folders.some((folder) => fs.existsSync(path.join(folder, 'svelte')));
let compiler;
// The compiler of the first Svelte there is: a later folder may hold another version.
const home = folders.find((folder) => fs.existsSync(path.join(folder, 'svelte', 'package.json')));
const svelte = () => (compiler ??= createRequire(path.join(home ?? folders[0], 'x.js'))('svelte/compiler'));
const versionOf = (name) => {
  const file = folders.map((folder) => path.join(folder, name, 'package.json')).find((found) => fs.existsSync(found));
  return file && JSON.parse(fs.readFileSync(file, 'utf8'));
};
const major = hasSvelte ? Number(versionOf('svelte').version.split('.')[0]) : 0;

const LEFT_OUT = /package\.json|types|compiler$|elements|\/vite|\/node|polyfills|server\.(bun|node|edge|browser)|static|profiling|test-utils|compiler-runtime|internal\/env/;

/** The modules that answers may import, each loaded when it is first asked for. */
function registry(packages, realm, kit) {
  const lines = [];
  for (const name of packages) {
    const found = versionOf(name);
    if (!found) continue;
    for (const [key, target] of Object.entries(found.exports ?? { '.': './index.js' })) {
      if (typeof target === 'object' && Object.keys(target).every((condition) => condition === 'types')) continue;
      const whole = key === '.' ? name : `${name}${key.slice(1)}`;
      const serverOnly = /internal\/server|^svelte\/server|react-dom\/server|@sveltejs/.test(whole);
      const pageOnly = /internal\/client|react-dom\/client/.test(whole);
      if ((key !== '.' && LEFT_OUT.test(key)) || (realm === 'page' ? serverOnly : pageOnly)) continue;
      lines.push(`${JSON.stringify(whole)}: () => require(${JSON.stringify(whole)})`);
    }
  }
  const more = kit ? "...require('metier:stand-ins').standIns" : '';
  return `export default { ${[...lines, more].filter(Boolean).join(',\n')} };`;
}

function plugin(packages, realm, kit) {
  const virtual = {
    'metier:registry': () => registry(packages, realm, kit),
    'metier:requests': () => (versionOf('@sveltejs/kit') ? fs.readFileSync(path.join(here, 'requests.js'), 'utf8')
      : 'export const within = (event, act) => act();'),
    'node:async_hooks': () => 'export const AsyncLocalStorage = globalThis.__storage;',
  };
  return {
    name: 'metier',
    setup(build) {
      build.onResolve({ filter: /^metier:stand-ins$/ }, () => ({ path: path.join(here, 'stand-ins.svelte.js') }));
      build.onResolve({ filter: /^(metier:|node:async_hooks$)/ }, (asked) => ({ path: asked.path, namespace: 'metier' }));
      build.onLoad({ filter: /.*/, namespace: 'metier' }, (asked) => ({ contents: virtual[asked.path](), resolveDir: here }));
      build.onLoad({ filter: /\.svelte\.js$/ }, (asked) => {
        const made = svelte().compileModule(fs.readFileSync(asked.path, 'utf8'), {
          filename: asked.path, generate: realm === 'page' ? 'client' : 'server', dev: false,
        });
        return { contents: made.js.code, resolveDir: here };
      });
      build.onResolve({ filter: /xhr-sync-worker\.js$/ }, () => ({ path: 'metier-no-worker', external: true }));
    },
  };
}

const WRAPPED = {
  banner: { js: '(function (require, module, exports, process, globalThis) {' }, footer: { js: '})' },
};

async function bundle({ out, framework }) {
  fs.mkdirSync(out, { recursive: true });
  const common = { bundle: true, nodePaths: folders, logLevel: 'silent', legalComments: 'none', target: 'node20', charset: 'utf8' };
  await esbuild.build({
    ...common, ...WRAPPED, entryPoints: [path.join(here, 'main.mjs')], platform: 'node', format: 'cjs',
    outfile: path.join(out, 'harness.js'), plugins: [resolving()], minifyWhitespace: true,
  });
  const kinds = {
    svelte: { packages: ['svelte', '@sveltejs/kit'], kit: true, page: 'svelte-page.svelte.js', server: 'svelte-server.js' },
    svelte4: { packages: ['svelte'], page: 'svelte4-page.js' },
    react: { packages: ['react', 'react-dom'], page: 'react-page.js', server: 'react-server.js' },
    plain: { packages: [], page: 'plain-page.js' },
  };
  const kind = kinds[framework];
  for (const realm of ['page', 'server']) {
    if (!kind[realm]) continue;
    await esbuild.build({
      ...common, entryPoints: [path.join(here, kind[realm])], format: 'iife', outfile: path.join(out, `runtime-${realm}.js`),
      platform: realm === 'page' ? 'browser' : 'neutral', mainFields: ['module', 'main'],
      conditions: realm === 'page' ? ['browser', 'development', 'svelte'] : ['development', 'svelte', 'edge-light', 'import'],
      define: { 'process.env.NODE_ENV': '"development"' }, plugins: [plugin(kind.packages, realm, kind.kit)],
    });
  }
  fs.writeFileSync(path.join(out, 'exercise.js'), `(function (module, exports, require) {${await exercise(framework)}\n})`);
  for (const name of ['inside.js', 'surroundings.js', 'boot.cjs']) fs.copyFileSync(path.join(here, name), path.join(out, name));
  return { ok: true };
}

/** A component that uses much of a framework, so that its code is warm before an answer comes. */
async function exercise(framework) {
  if (framework === 'plain' || framework === 'svelte4') return '';
  const name = framework === 'react' ? 'exercise.jsx' : 'exercise.svelte';
  const { modules, diagnostics } = await compile({ framework, realm: 'page', options: {},
    files: [{ path: name, text: fs.readFileSync(path.join(here, name), 'utf8') }] });
  if (diagnostics.length > 0) throw new Error(diagnostics[0].message);
  return modules[0][1];
}

/** jsdom asks where its worker for synchronous requests lies, which is never used here. */
function resolving() {
  return {
    name: 'jsdom',
    setup(build) {
      build.onLoad({ filter: /XMLHttpRequest-impl\.js$/ }, (asked) => ({
        contents: fs.readFileSync(asked.path, 'utf8').replace(/require\.resolve\s*\?\s*require\.resolve\([^)]*\)\s*:\s*null|require\.resolve\([^)]*\)/g, '"none"'),
        resolveDir: path.dirname(asked.path),
      }));
    },
  };
}

const LOADERS = { ts: 'ts', mts: 'ts', tsx: 'tsx', jsx: 'jsx', js: 'js', mjs: 'js' };

async function plain(text, file, options = {}) {
  const ending = path.extname(file).slice(1);
  const made = await esbuild.transform(text, {
    loader: options.react && ending === 'js' ? 'jsx' : (LOADERS[ending] ?? 'js'), format: 'cjs', target: 'es2022',
    sourcefile: file, jsx: 'automatic', jsxDev: false, supported: { 'dynamic-import': false }, logLevel: 'silent',
    define: { 'import.meta.env': '{"DEV":true,"PROD":false,"SSR":false,"MODE":"test"}', 'import.meta.url': '"file:///answer"',
      'process.env.NODE_ENV': '"development"' },
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: /\.svelte\.ts$/.test(file), experimentalDecorators: false } },
  });
  return made.code;
}

/** Svelte 4 leaves TypeScript in scripts to others. */
async function withoutTypes(text) {
  let made = text;
  for (const match of text.matchAll(/(<script\b[^>]*\blang=["']?ts["']?[^>]*>)([\s\S]*?)<\/script>/g)) {
    const { code } = await esbuild.transform(match[2], { loader: 'ts', tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } });
    made = made.replace(match[2], () => `\n${code}`);
  }
  return made;
}

async function component(text, file, { realm, options }) {
  if (major < 5) {
    return svelte().compile(await withoutTypes(text), {
      filename: file, generate: realm === 'page' ? 'dom' : 'ssr', dev: false, css: 'injected',
    }).js.code;
  }
  return svelte().compile(text, {
    filename: file, generate: realm === 'page' ? 'client' : 'server', dev: options?.dev ?? true, css: 'injected',
    runes: options?.runes ? true : undefined, experimental: { async: options?.async ?? false },
  }).js.code;
}

async function moduleOf(text, file, { realm, options }) {
  const typed = /\.ts$/.test(file);
  const code = typed ? (await esbuild.transform(text, { loader: 'ts', target: 'esnext',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } })).code : text;
  return svelte().compileModule(code, { filename: file, generate: realm === 'page' ? 'client' : 'server', dev: options?.dev ?? true }).js.code;
}

async function compiled(file, request) {
  const { path: name, text } = file;
  if (/\.json$/.test(name)) return `module.exports = { __esModule: true, default: ${JSON.stringify(JSON.parse(text))} };`;
  if (/\.css$/.test(name)) return '';
  if (/\.svelte$/.test(name) && hasSvelte) return plain(await component(text, name, request), `${name}.js`);
  if (/\.svelte\.(js|ts)$/.test(name) && major >= 5) return plain(await moduleOf(text, name, request), `${name}.js`);
  return plain(text, name, { react: request.framework === 'react' });
}

function diagnosed(error, name) {
  const first = error.errors?.[0];
  const start = error.start ?? (first?.location && { line: first.location.line, column: first.location.column });
  return {
    code: typeof error.code === 'string' ? error.code : first ? 'parse_error' : 'compiler_failed', path: name,
    message: String(first?.text ?? error.message ?? error).split('\nhttps://')[0].slice(0, 500),
    ...(start ? { line: start.line, column: start.column + 1 } : {}),
  };
}

async function compile(request) {
  const modules = [];
  const diagnostics = [];
  for (const file of request.files) {
    try {
      modules.push([file.path, await compiled(file, request)]);
    } catch (error) {
      diagnostics.push(diagnosed(error, file.path));
    }
  }
  return { modules, diagnostics };
}

const operations = { bundle, compile };
let queue = Promise.resolve();
createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  queue = queue.then(async () => {
    let answer;
    try {
      const request = JSON.parse(line);
      answer = await operations[request.op](request);
    } catch (error) {
      answer = { failure: String(error?.stack ?? error).slice(0, 2000) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
});
process.stdout.write('{"ready":true}\n');
