// Starts the harness: reads its bundles with their V8 code caches, then hands over.
// `node boot.cjs FOLDER REALM` serves one judgement; with `cache` at the end it writes the caches.
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');

const [folder, realm, mode] = process.argv.slice(2);
const scripts = new Map();

function script(name) {
  if (scripts.has(name)) return scripts.get(name);
  const path = `${folder}/${name}`;
  let cachedData;
  try {
    cachedData = mode === 'cache' ? undefined : fs.readFileSync(`${path}.${realm}.cache`);
  } catch {
    cachedData = undefined;
  }
  const made = new vm.Script(fs.readFileSync(path, 'utf8'), { filename: `metier:${name}`, cachedData });
  scripts.set(name, made);
  return made;
}

const failed = (error) => {
  own.stderr.write(`${error?.stack ?? error}\n`);
  own.exit(70);
};

function keep() {
  for (const [name, made] of scripts) fs.writeFileSync(`${folder}/${name}.${realm}.cache`, made.createCachedData());
}

const { process: own } = globalThis;
const bundle = { exports: {} };
script('harness.js').runInThisContext()(require, bundle, bundle.exports, own, globalThis);
// What an answer may reach of this realm has no process, no files and no way to require.
for (const name of ['process', 'require', 'module', 'exports']) delete globalThis[name];
bundle.exports.serve({ realm, script, process: own, keep: mode === 'cache' ? keep : undefined }).catch(failed);
