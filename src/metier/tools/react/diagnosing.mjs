// What is wrong with React files: TypeScript's language service over files in memory, the rules of
// hooks through ESLint's Linter, and attributes that belong to HTML. It reads below the toolchain's
// folder and nowhere else, and knows nothing of repairs.
import { createRequire } from 'node:module';
import { attributes } from './attributes.mjs';

const MOST = 50;
// In JavaScript only what fails when it is reached; types are not the author's there.
const CERTAIN_IN_JS = new Set([2304, 2552, 2305, 2724, 2588, 2630, 2300, 2451, 2448, 2503, 2686]);
// Doubtful, or not knowable from one answer: a module of the project, a type left out.
const DOUBTFUL = new Set([
	2307, 2882, 7016, 7006, 7031, 7005, 7034, 7053, 7018, 7019, 7008, 7010, 7011, 7022, 7023, 7024,
	2531, 2532, 2533, 18046, 18047, 18048, 18049, 2454, 2564, 6133, 6196, 7027, 7028, 2612, 7041,
]);
const AMBIENT = `
declare module '*.css';
declare module '*.scss';
declare module '*.svg' { const address: string; export default address; }
declare module '*.png' { const address: string; export default address; }
declare module '*.jpg' { const address: string; export default address; }
declare const process: { env: Record<string, string | undefined> };
interface ImportMeta { env: Record<string, string | undefined> }
`;

export function open(folder) {
	const require = createRequire(`${folder}/package.json`);
	const ts = require('typescript');
	const service = serviceOver(ts, folder);
	const lint = linter(require);
	service.check([{ path: 'warm.tsx', text: 'export const warm = <p className="x" />;' }]);
	return {
		ts,
		service,
		check(files) {
			const found = service.check(files);
			const unread = new Set(found.filter((one) => one.syntax).map((one) => one.path));
			for (const file of files) {
				if (!isCode(file.path)) continue;
				found.push(...fences(file));
				if (unread.has(file.path)) continue;
				found.push(...lint(file), ...attributes(ts, file));
			}
			return found.map(({ syntax, ...one }) => one).sort(byPlace).slice(0, MOST);
		},
	};
}

// Marks of a Markdown block are strings to a parser, so that a whole file may hide in one.
function fences(file) {
	const at = file.text.split('\n').findIndex((line) => /^[ \t]*```/.test(line));
	if (at < 0) return [];
	const message = 'A mark of a Markdown block stands in the code.';
	return [{ code: 'markdown_fence', message, severity: 'error', path: file.path, line: at + 1, column: 1 }];
}

function byPlace(one, other) {
	const severity = Number(one.severity === 'warning') - Number(other.severity === 'warning');
	return severity || one.line - other.line || one.column - other.column;
}

function isCode(path) {
	return /\.[cm]?[jt]sx?$/.test(path);
}

function serviceOver(ts, folder) {
	const root = `${folder}/answer`;
	const ambient = `${root}/ambient.d.ts`;
	let files = new Map();
	let version = 0;
	const versions = new Map();
	const options = {
		allowJs: true,
		checkJs: true,
		esModuleInterop: true,
		isolatedModules: true,
		jsx: ts.JsxEmit.ReactJSX,
		lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
		module: ts.ModuleKind.ESNext,
		moduleDetection: ts.ModuleDetectionKind.Force,
		moduleResolution: ts.ModuleResolutionKind.Bundler,
		noEmit: true,
		resolveJsonModule: true,
		skipLibCheck: true,
		strict: false,
		target: ts.ScriptTarget.ES2022,
		types: ['react', 'react-dom'],
	};
	const kept = new Map();
	const below = (path) => path.startsWith(`${folder}/`);
	const host = {
		getCompilationSettings: () => options,
		getCurrentDirectory: () => root,
		getDefaultLibFileName: () => ts.getDefaultLibFilePath(options),
		getScriptFileNames: () => [ambient, ...files.keys()],
		getScriptVersion: (path) => String(versions.get(path) ?? 0),
		getScriptSnapshot(path) {
			const text = host.readFile(path);
			return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
		},
		readFile(path) {
			if (path === ambient) return AMBIENT;
			if (files.has(path)) return files.get(path);
			if (!below(path)) return undefined;
			if (!kept.has(path)) kept.set(path, ts.sys.readFile(path));
			return kept.get(path);
		},
		fileExists: (path) =>
			path === ambient || files.has(path) || (below(path) && ts.sys.fileExists(path)),
		directoryExists: (path) =>
			path === root ||
			[...files.keys()].some((name) => name.startsWith(`${path}/`)) ||
			(below(path) && ts.sys.directoryExists(path)),
		getDirectories: (path) => (below(path) ? ts.sys.getDirectories(path) : []),
		useCaseSensitiveFileNames: () => true,
	};
	const service = ts.createLanguageService(host);

	function place(path, found) {
		const start = found.start ?? 0;
		const from = found.file?.getLineAndCharacterOfPosition(start) ?? { line: 0, character: 0 };
		const to = found.file?.getLineAndCharacterOfPosition(start + (found.length ?? 0));
		return {
			path,
			line: from.line + 1,
			column: from.character + 1,
			end_line: (to?.line ?? from.line) + 1,
			end_column: (to?.character ?? from.character) + 1,
		};
	}

	function told(path, found, syntax) {
		return {
			code: `TS${found.code}`,
			message: ts.flattenDiagnosticMessageText(found.messageText, ' '),
			severity: !syntax && DOUBTFUL.has(found.code) ? 'warning' : 'error',
			syntax,
			...place(path, found),
		};
	}

	function semantic(path, name) {
		const typed = /\.[cm]?tsx?$/.test(path);
		return service
			.getSemanticDiagnostics(name)
			.filter((one) => typed || CERTAIN_IN_JS.has(one.code) || one.code === 2307)
			.filter((one) => one.category === ts.DiagnosticCategory.Error)
			.map((one) => told(path, one, false));
	}

	return {
		service,
		name: (path) => `${root}/${path}`,
		put(asked) {
			version += 1;
			files = new Map();
			for (const file of asked) {
				if (!isCode(file.path) && !file.path.endsWith('.json')) continue;
				files.set(`${root}/${file.path}`, file.text);
				versions.set(`${root}/${file.path}`, version);
			}
		},
		check(asked) {
			this.put(asked);
			return asked.flatMap((file) => {
				const name = `${root}/${file.path}`;
				if (!isCode(file.path)) return [];
				const syntax = service.getSyntacticDiagnostics(name);
				if (syntax.length) return syntax.map((one) => told(file.path, one, true));
				return semantic(file.path, name);
			});
		},
	};
}

function linter(require) {
	const { Linter } = require('eslint');
	const hooks = require('eslint-plugin-react-hooks');
	const parser = require('@typescript-eslint/parser');
	const engine = new Linter({ configType: 'flat' });
	const config = [
		{
			files: ['**/*.{js,jsx,ts,tsx,mjs,cjs,mts,cts}'],
			languageOptions: { parser, parserOptions: { ecmaFeatures: { jsx: true } } },
			linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
			plugins: { 'react-hooks': hooks.default ?? hooks },
			rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'warn' },
		},
	];
	return (file) =>
		engine
			.verify(file.text, config, { filename: file.path })
			.filter((one) => !one.fatal && one.ruleId)
			.map((one) => ({
				code: one.ruleId,
				message: one.message,
				severity: one.severity === 2 ? 'error' : 'warning',
				path: file.path,
				line: one.line,
				column: one.column,
				end_line: one.endLine ?? one.line,
				end_column: one.endColumn ?? one.column,
			}));
}
