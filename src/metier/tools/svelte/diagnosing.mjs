// What the compiler says of one file, as plain values: every error that can be found, not only the
// first, and every warning. Lines and columns are 1-based and count code points.

const MOST_ERRORS = 10;

/** Compile a component or a module; `request`: path, text, generate (false, 'client', 'server'). */
export function diagnose(compiler, major, request) {
	const { path, generate = false, dev = false } = request;
	const text = withoutMark(request.text);
	const first = attempt(compiler, major, path, text, generate, dev);
	if (!first.error) return first;
	const errors = [first.error];
	if (major >= 5 && generate === false) errors.push(...further(compiler, path, text, first.error));
	return { diagnostics: errors.map((error) => described(error, text, 'error')) };
}

/** The text without the mark of its byte order, which the compiler leaves out of its places too. */
export function withoutMark(text) {
	return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The compiler's first error, if there is one, without a description of it. */
export function compiled(compiler, path, text) {
	return attempt(compiler, 5, path, text, false, false);
}

function attempt(compiler, major, path, text, generate, dev) {
	const options = { filename: path, generate, dev };
	try {
		const made = run(compiler, major, path, text, options);
		const warnings = made.warnings.map((warning) => described(warning, text, 'warning'));
		return { diagnostics: warnings, code: generate ? made.js.code : undefined };
	} catch (error) {
		return { error };
	}
}

function run(compiler, major, path, text, options) {
	if (path.endsWith('.svelte.ts')) return typedModule(compiler, text, options);
	if (path.endsWith('.svelte.js')) return compiler.compileModule(text, options);
	return compiler.compile(text, major >= 5 ? { ...options, modernAst: true } : options);
}

const OPENING = '<script module lang="ts">';

/** A module with types is read as a component's module script: the compiler knows types only there. */
function typedModule(compiler, text, options) {
	const plain = text
		.replace(/^export default(?=\s+(async\s+)?(function|class)\b)/m, ' '.repeat(14))
		.replace(/^export default(?=\s)/m, 'let _default_=');
	const moved = (found) => {
		if (!Array.isArray(found.position)) return found;
		const position = found.position.map((at) => Math.min(Math.max(0, at - OPENING.length), text.length));
		return { code: found.code, message: found.message, position };
	};
	try {
		const source = `${OPENING}${plain}</script>`;
		const made = compiler.compile(source, { ...options, filename: options.filename.slice(0, -3), modernAst: true });
		return { ...made, warnings: made.warnings.map(moved) };
	} catch (error) {
		throw moved(error);
	}
}

// What the compiler says of a name whose declaration was blanked out; it is no fault of the file.
const OF_A_MISSING_NAME = new Set([
	'bind_invalid_value',
	'bind_invalid_expression',
	'global_reference_invalid',
	'export_undefined',
	'snippet_invalid_export',
]);

/** Errors behind the first one: what it names is blanked out and the rest compiled again. */
function further(compiler, path, text, error) {
	const found = [];
	const seen = new Set([key(error)]);
	let current = text;
	let names = false;
	for (let round = 0; round < MOST_ERRORS && Array.isArray(error.position); round += 1) {
		const masked = mask(compiler, path, current, error);
		if (masked === null || masked.text === current) break;
		names ||= masked.declared;
		current = masked.text;
		error = attempt(compiler, 5, path, current, false, false).error;
		if (!error?.code || seen.has(key(error))) break;
		seen.add(key(error));
		if (!(names && OF_A_MISSING_NAME.has(error.code))) found.push(error);
	}
	return found;
}

function key(error) {
	return `${error.code} ${error.position?.[0]}`;
}

/** The text with the smallest attribute, statement or element around the error made blank. */
function mask(compiler, path, text, error) {
	if (/\.svelte\.(js|ts)$/.test(path)) return null;
	const [start] = error.position;
	let tree;
	try {
		tree = compiler.parse(text, { modern: true, filename: path });
	} catch {
		return maskScript(text, start);
	}
	const node = smallest(tree, start);
	if (!node) return null;
	return { text: blank(text, node.start, node.end), declared: /Declaration$/.test(node.type) };
}

/** A script that does not parse is made blank as a whole, so that the markup can be read. */
function maskScript(text, start) {
	for (const match of text.matchAll(/(<script\b[^>]*>)([\s\S]*?)<\/script\s*>/gi)) {
		const from = match.index + match[1].length;
		if (start >= from && start <= from + match[2].length) {
			return { text: blank(text, from, from + match[2].length), declared: true };
		}
	}
	return null;
}

const MASKABLE = /Statement$|Declaration$|Attribute$|Directive$|Tag$|Block$|RegularElement|Component$/;

function smallest(tree, offset) {
	let best = null;
	const visit = (node) => {
		if (!node || typeof node !== 'object') return;
		if (Array.isArray(node)) return node.forEach(visit);
		const placed = typeof node.start === 'number' && typeof node.end === 'number';
		if (placed && (offset < node.start || offset >= node.end)) return;
		if (placed && MASKABLE.test(node.type ?? '') && node.type !== 'BlockStatement') {
			if (!best || node.end - node.start <= best.end - best.start) best = node;
		}
		for (const [name, value] of Object.entries(node)) {
			if (name !== 'metadata' && name !== 'parent' && name !== 'loc') visit(value);
		}
	};
	visit([tree.options, tree.fragment, tree.instance?.content, tree.module?.content]);
	return best;
}

function blank(text, start, end) {
	return text.slice(0, start) + text.slice(start, end).replace(/[^\n\r]/g, ' ') + text.slice(end);
}

function described(error, text, severity) {
	const message = String(error.message ?? error).split('\nhttps://')[0];
	const placed = { code: error.code ?? unplaced(error), message, severity };
	const [start, end] = range(error, text);
	if (start !== undefined) Object.assign(placed, place(text, start, end));
	return placed;
}

function unplaced(error) {
	return error instanceof RangeError ? 'too_deep' : 'compiler_failed';
}

function range(error, text) {
	if (Array.isArray(error.position)) return error.position;
	const at = (point) => (point?.character !== undefined ? point.character : offset(text, point));
	return [at(error.start), at(error.end)];
}

function offset(text, point) {
	if (point?.line === undefined) return undefined;
	let from = 0;
	for (let line = 1; line < point.line; line += 1) from = text.indexOf('\n', from) + 1;
	return from + (point.column ?? 0);
}

function place(text, start, end) {
	const first = point(text, start);
	if (end === undefined || end < start) return { line: first.line, column: first.column };
	const last = point(text, end);
	return { ...first, end_line: last.line, end_column: last.column };
}

/** 1-based line and column of an offset in UTF-16 units, the column in code points. */
export function point(text, offset) {
	const before = text.slice(0, Math.max(0, offset));
	const from = before.lastIndexOf('\n') + 1;
	let line = 1;
	for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
	return { line, column: [...before.slice(from)].length + 1 };
}
