// The warm worker of the svelte tool: compiles, migrates and mends components, one line of JSON for
// one line of JSON. It never runs what it is given. argv: the compiler's file.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { diagnose } from './diagnosing.mjs';
import { mend } from './mending.mjs';

const require = createRequire(import.meta.url);
const compiler = require(process.argv[2]);
const major = Number(compiler.VERSION.split('.')[0]);

const operations = {
	compile: (request) => diagnose(compiler, major, request),
	mend: (request) => mend(compiler, request),
	version: () => ({ version: compiler.VERSION }),
};

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
	const request = JSON.parse(line);
	let answer;
	try {
		answer = operations[request.op](request);
	} catch (error) {
		answer = { failure: String(error?.message ?? error).slice(0, 500) };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
});
process.stdout.write('{"ready":true}\n');
