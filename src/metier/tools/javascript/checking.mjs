// The warm worker of the javascript tool: parses modules and scripts with Node's own parser, one line
// of JSON for one line of JSON. Nothing is linked or evaluated.
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import vm from 'node:vm';

const NAME = 'answer';

function parse(file) {
	const at = file.text.split('\n').findIndex((line) => /^[ \t]*```/.test(line));
	if (at >= 0) return [fenced(file, at + 1)];
	try {
		if (file.path.endsWith('.cjs')) new vm.Script(file.text, { filename: NAME });
		else new vm.SourceTextModule(file.text, { identifier: NAME });
		return [];
	} catch (error) {
		if (/\.js$/.test(file.path) && looksLikeScript(file.text) && isScript(file.text)) return [];
		return [told(file, error)];
	}
}

// CommonJS in a .js file: no import or export, and require or module.exports.
function looksLikeScript(text) {
	return !/^\s*(import|export)\b/m.test(text) && /\brequire\(|\bmodule\.exports\b|\bexports\./.test(text);
}

function isScript(text) {
	try {
		new vm.Script(`(function (exports, require, module) {${text}\n})`, { filename: NAME });
		return true;
	} catch {
		return false;
	}
}

// Marks of a Markdown block are strings to a parser, so that a whole file may hide in one.
function fenced(file, line) {
	const message = 'A mark of a Markdown block stands in the code.';
	return { code: 'markdown_fence', message, severity: 'error', path: file.path, line, column: 1 };
}

function told(file, error) {
	const stack = file.path.endsWith('.cjs') ? String(error?.stack ?? '') : placed(file.text);
	const line = Number(/^(?:answer|\[stdin\]):(\d+)/.exec(stack)?.[1] ?? 0) || null;
	const caret = stack.split('\n').find((one) => /^\s*\^+\s*$/.test(one));
	const column = line && caret ? caret.indexOf('^') + 1 : null;
	return {
		code: error?.name === 'SyntaxError' ? 'syntax' : 'not_parsed',
		message: `${String(error?.message ?? error).slice(0, 300)}.`,
		severity: 'error',
		path: file.path,
		line,
		column,
		end_line: column ? line : null,
		end_column: column ? column + caret.trim().length : null,
	};
}

// Where a module does not parse: Node tells it only when it checks a whole program.
function placed(text) {
	const options = { input: text, timeout: 3000, env: {}, maxBuffer: 1 << 22 };
	const done = spawnSync(process.execPath, ['--check', '--input-type=module', '-'], options);
	return String(done.stderr ?? '');
}

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
	const { files } = JSON.parse(line);
	process.stdout.write(JSON.stringify({ diagnostics: files.flatMap(parse) }) + '\n');
});
process.stdout.write('{"ready":true}\n');
