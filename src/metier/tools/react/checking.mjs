// The warm worker of the react tool: type-checks, lints and mends React files, one line of JSON for
// one line of JSON. It never runs what it is given. argv: the toolchain's folder.
import { createInterface } from 'node:readline';
import { open } from './diagnosing.mjs';
import { mend } from './mending.mjs';

const checker = open(process.argv[2]);

const operations = {
	check: (request) => ({ diagnostics: checker.check(request.files) }),
	mend: (request) => mend(checker, request.files),
};

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
	let answer;
	try {
		const request = JSON.parse(line);
		answer = operations[request.op](request);
	} catch (error) {
		answer = { failure: String(error?.message ?? error).slice(0, 500) };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
});
process.stdout.write('{"ready":true}\n');
