// The warm type checker of the svelte tool: files of a SvelteKit project, held in memory, under the
// types of svelte, kit and ./$types. One line of JSON for one line of JSON; nothing is executed or
// written. argv: the toolchain's folder, which holds node_modules.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { dirname, join, resolve } from 'node:path';
import { point } from './diagnosing.mjs';
import { kitProblems } from './kit_rules.mjs';
import { copiesOf, typesOf } from './kit_types.mjs';

const toolchain = process.argv[2];
const require = createRequire(join(toolchain, 'node_modules', 'x.js'));
const ts = require('typescript');
const { svelte2tsx, internalHelpers } = require('svelte2tsx');
const { parse, VERSION } = require('svelte/compiler');
const { TraceMap, originalPositionFor } = require('@jridgewell/trace-mapping');

const ROOT = join(toolchain, 'metier-project');
const KIT = { serverHooksPath: 'src/hooks.server', clientHooksPath: 'src/hooks.client', universalHooksPath: 'src/hooks', paramsPath: 'src/params' };
const OPTIONS = {
	target: ts.ScriptTarget.ESNext,
	module: ts.ModuleKind.ESNext,
	moduleResolution: ts.ModuleResolutionKind.Bundler,
	lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
	strict: true,
	noEmit: true,
	allowJs: true,
	checkJs: true,
	skipLibCheck: true,
	allowImportingTsExtensions: true,
	resolveJsonModule: true,
	esModuleInterop: true,
	types: [],
	jsx: ts.JsxEmit.Preserve,
};
const AMBIENT = `
/// <reference types="@sveltejs/kit" />
declare module '$lib/*';
declare module '$env/static/private';
declare module '$env/static/public';
declare module '$env/dynamic/private' { export const env: Record<string, string | undefined>; }
declare module '$env/dynamic/public' { export const env: Record<string, string | undefined>; }
declare module '*.css';
declare module '*?raw' { const text: string; export default text; }
declare module '*?url' { const address: string; export default address; }
`;
// Where no app.d.ts says what locals hold, they may hold anything.
const OPEN_APP = 'declare namespace App { interface Locals { [name: string]: any } interface Platform { [name: string]: any } }';
const SHIMS = ['svelte-shims-v4.d.ts', 'svelte-jsx-v4.d.ts'].map((name) => join(toolchain, 'node_modules', 'svelte2tsx', name));

// Types of the build, which no route needs: without them the first check takes half the time.
const HEAVY = /^(node|vite|rollup|esbuild|postcss|@sveltejs\/vite-plugin-svelte)$|^node:/;

const disk = new Map();
let virtual = new Map();
let previous;

const host = {
	getSourceFile(name, languageVersion) {
		const own = virtual.get(name);
		if (own) return (own.source ??= ts.createSourceFile(name, own.text, languageVersion, true, own.kind));
		if (!disk.has(name)) {
			const text = ts.sys.readFile(name);
			disk.set(name, text === undefined ? undefined : ts.createSourceFile(name, text, languageVersion, true));
		}
		return disk.get(name);
	},
	fileExists: (name) => virtual.has(name) || (!name.startsWith(ROOT) && ts.sys.fileExists(name)),
	readFile: (name) => virtual.get(name)?.text ?? (name.startsWith(ROOT) ? undefined : ts.sys.readFile(name)),
	directoryExists: (name) => name.startsWith(ROOT) || ts.sys.directoryExists(name),
	getDirectories: () => [],
	getDefaultLibFileName: () => join(toolchain, 'node_modules', 'typescript', 'lib', 'lib.esnext.full.d.ts'),
	getDefaultLibLocation: () => join(toolchain, 'node_modules', 'typescript', 'lib'),
	getCurrentDirectory: () => ROOT,
	getCanonicalFileName: (name) => name,
	useCaseSensitiveFileNames: () => true,
	getNewLine: () => '\n',
	writeFile: () => {},
	resolveTypeReferenceDirectiveReferences(references, containing, redirected, options) {
		return references.map((one) => {
			const name = typeof one === 'string' ? one : one.fileName;
			if (HEAVY.test(name)) return { resolvedTypeReferenceDirective: undefined };
			return ts.resolveTypeReferenceDirective(name, containing, options, host, redirected);
		});
	},
	resolveModuleNameLiterals(literals, containing) {
		return literals.map(({ text }) => ({ resolvedModule: resolved(text, containing) }));
	},
};
const cache = ts.createModuleResolutionCache(ROOT, (name) => name, OPTIONS);

function resolved(name, containing) {
	const target = name.startsWith('$lib/') ? join(ROOT, 'src/lib', name.slice(5)) : name.startsWith('.') ? resolve(dirname(containing), name) : null;
	if (target) {
		const stem = target.replace(/\.js$/, '');
		const names = [`${target}__.ts`, `${target}__.js`, target, `${stem}.ts`, `${stem}.d.ts`, `${target}.ts`, `${target}.js`, `${target}.d.ts`, join(target, 'index.ts'), join(target, 'index.js')];
		const found = names.find((one) => virtual.has(one));
		if (found) return { resolvedFileName: found, extension: found.endsWith('.d.ts') ? '.d.ts' : found.slice(found.lastIndexOf('.')) };
		if (containing.startsWith(ROOT)) return undefined;
	}
	if (HEAVY.test(name)) return undefined;
	return ts.resolveModuleName(name, containing, OPTIONS, host, name.startsWith('.') ? undefined : cache).resolvedModule;
}

/** Check a project; `request`: files, each with `path` in the project and `text`. */
function check({ files }) {
	const texts = new Map(files.map((file) => [file.path, file.text]));
	const read = (path) => texts.get(path);
	const paths = [...texts.keys()];
	const made = new Map();
	const answer = [];
	for (const file of files) {
		const unit = unitOf(file);
		if (unit) made.set(unit.name, unit);
		answer.push(...rulesOf(file));
	}
	const generated = [...typesOf(paths, read), ...copiesOf(paths, read), ['src/metier-ambient.d.ts', AMBIENT]];
	if (!files.some((file) => /namespace\s+App\b/.test(file.text))) generated.push(['src/metier-app.d.ts', OPEN_APP]);
	for (const [path, text] of generated) {
		const name = join(ROOT, path);
		if (!made.has(name)) made.set(name, { name, text, generated: true });
	}
	virtual = keep(made);
	const roots = [...SHIMS, ...[...virtual.values()].map((unit) => unit.name)];
	previous = ts.createProgram({ rootNames: roots, options: OPTIONS, host, oldProgram: previous });
	for (const unit of virtual.values()) if (!unit.generated) answer.push(...diagnosticsOf(unit));
	return { diagnostics: answer };
}

/** Units whose text did not change keep their tree. */
function keep(made) {
	for (const [name, unit] of made) {
		const before = virtual.get(name);
		if (before && before.text === unit.text && before.kind === unit.kind) unit.source = before.source;
	}
	return made;
}

function unitOf({ path, text }) {
	const name = join(ROOT, path);
	if (path.endsWith('.svelte')) return componentUnit(path, name, text);
	if (!/\.(js|ts)$/.test(path)) return null;
	const typed = path.endsWith('.ts');
	const source = () => ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
	const made = internalHelpers.isKitFile(name, KIT) ? internalHelpers.upsertKitFile(ts, name, KIT, source) : undefined;
	return { name, path, original: text, typed, text: made?.text ?? text, added: made?.addedCode };
}

function componentUnit(path, name, text) {
	const typed = /<script\b[^>]*\blang\s*=\s*["']?(ts|typescript)\b/.test(text);
	try {
		const made = svelte2tsx(text, { filename: name, isTsFile: typed, mode: 'ts', parse, version: VERSION, emitOnTemplateError: true, typingsNamespace: 'svelteHTML' });
		return { name: `${name}__.${typed ? 'ts' : 'js'}`, path, original: text, typed, text: made.code, map: made.map, kind: typed ? ts.ScriptKind.TS : ts.ScriptKind.JS };
	} catch {
		// The compiler says what is wrong with it; other files see a component of any kind.
		return { name: `${name}__.ts`, path, generated: true, text: 'declare const component: import("svelte").Component<any>;\nexport default component;' };
	}
}

function rulesOf({ path, text }) {
	let code = text;
	if (path.endsWith('.svelte')) {
		code = text.replace(/[^\n]/g, ' ');
		for (const match of text.matchAll(/(<script\b[^>]*>)([\s\S]*?)<\/script\s*>/gi)) {
			const from = match.index + match[1].length;
			code = code.slice(0, from) + match[2] + code.slice(from + match[2].length);
		}
	} else if (!/\.(js|ts)$/.test(path) && !/(^|\/)\+[^/]*$/.test(path)) return [];
	return kitProblems(ts, path, code, path.endsWith('.js') ? ts.ScriptKind.JS : ts.ScriptKind.TS).map((found) => ({
		path,
		code: found.code,
		message: found.message,
		severity: 'error',
		...range(text, found.at, found.end),
	}));
}

// In JavaScript types are guesses: only names that do not exist and broken syntax count.
const IN_SCRIPT = new Set([2304, 2305, 2552, 2614, 2724]);
// Not the answer's fault: modules that are not among its files, any without saying so, Node's names.
const DOUBTFUL = new Set([2307, 2792, 7016, 7005, 7006, 7018, 7019, 7022, 7023, 7024, 7031, 7034, 7053, 2580, 2591, 6133]);

function diagnosticsOf(unit) {
	const source = previous.getSourceFile(unit.name);
	if (!source) return [];
	const found = [...previous.getSyntacticDiagnostics(source)];
	if (!found.length || unit.map) found.push(...previous.getSemanticDiagnostics(source));
	const told = [];
	for (const one of found) {
		if (!unit.typed && !(IN_SCRIPT.has(one.code) || one.code < 2000)) continue;
		const span = originalOf(unit, one.start ?? 0, one.length ?? 0);
		if (!span) continue;
		const message = ts.flattenDiagnosticMessageText(one.messageText, '\n');
		const severity = DOUBTFUL.has(one.code) || one.category !== ts.DiagnosticCategory.Error ? 'warning' : 'error';
		told.push({ path: unit.path, code: `TS${one.code}`, message, severity, ...range(unit.original, ...span) });
	}
	return told;
}

/** The span in the file as it was given, or null where the text was generated. */
function originalOf(unit, start, length) {
	if (unit.map) {
		if (inGenerated(unit.text, start)) return null;
		unit.trace ??= new TraceMap(unit.map);
		const from = mapped(unit, start);
		if (from === null) return null;
		const to = mapped(unit, start + length);
		return [from, to !== null && to >= from ? to : from + length];
	}
	if (!unit.added) return [start, start + length];
	const { pos, inGenerated: added } = internalHelpers.toOriginalPos(start, unit.added);
	return added ? null : [pos, pos + length];
}

function inGenerated(text, at) {
	const open = text.lastIndexOf('/*Ωignore_startΩ*/', at);
	return open >= 0 && text.lastIndexOf('/*Ωignore_endΩ*/', at) < open;
}

function mapped(unit, offset) {
	const source = previous.getSourceFile(unit.name);
	const { line, character } = ts.getLineAndCharacterOfPosition(source, Math.min(offset, unit.text.length));
	const found = originalPositionFor(unit.trace, { line: line + 1, column: character });
	if (found.line === null || found.line === undefined) return null;
	const lines = unit.original.split('\n');
	return lines.slice(0, found.line - 1).reduce((sum, one) => sum + one.length + 1, 0) + found.column;
}

function range(text, start, end) {
	const first = point(text, start);
	const last = point(text, end);
	return { line: first.line, column: first.column, end_line: last.line, end_column: last.column };
}

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
	let answer;
	try {
		answer = check(JSON.parse(line));
	} catch (error) {
		answer = { failure: String(error?.stack ?? error).slice(0, 500) };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
});
// Stdout is for answers; what compilers write to the console is for nobody.
for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = () => {};
process.stdout.write('{"ready":true}\n');
