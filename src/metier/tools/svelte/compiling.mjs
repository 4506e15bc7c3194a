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
	migrate: ({ path, text }) => migrated(path, text),
	version: () => ({ version: compiler.VERSION }),
};

/** The compiler's own migration; `refused` is why it changed nothing. */
function migrated(path, text) {
	try {
		return { text: compiler.migrate(text, { filename: path }).code };
	} catch (error) {
		return { refused: String(error.message ?? error).split('\n')[0] };
	}
}

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
// Stdout is for answers; what compilers write to the console is for nobody.
for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = () => {};
process.stdout.write('{"ready":true}\n');
