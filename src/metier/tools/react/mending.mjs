// Deterministic repairs of React files: each rule proposes a text, and it stays only if less is wrong
// afterwards and nothing that was right became wrong. It knows what is wrong only through the
// checker; a model is never asked.
import { eachAttribute, kindOf, reactName } from './attributes.mjs';
import { asObject } from './styles.mjs';

const VOID = 'area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr';
const ROUNDS = 3;

export function mend(checker, files) {
	const rules = rulesOver(checker);
	const applied = [];
	let now = files;
	let wrong = checker.check(now);
	for (let round = 0; round < ROUNDS && weight(wrong); round += 1) {
		const before = now;
		for (const [name, sentence, rule] of rules) {
			const proposed = now.map((file) => changed(rule, file, wrong));
			if (proposed.every((file, index) => file.text === now[index].text)) continue;
			const found = checker.check(proposed);
			if (!better(found, wrong)) continue;
			[now, wrong] = [proposed, found];
			if (!applied.some((one) => one[0] === name)) applied.push([name, sentence]);
		}
		if (now === before) break;
	}
	return { files: now, applied, diagnostics: wrong };
}

function changed(rule, file, wrong) {
	const own = wrong.filter((one) => one.path === file.path);
	const text = own.length && /\.[jt]sx?$/.test(file.path) ? rule(file, own) : file.text;
	return { path: file.path, text: text ?? file.text };
}

const mendable = (one) => one.severity === 'error' || one.code === 'html_attribute';

function weight(found) {
	return found.filter(mendable).length;
}

// A file that did not parse shows its other errors once it does: parsing counts before their number.
function better(now, before) {
	const unread = (found) => found.filter((one) => /^TS(1|8|17)[0-9]{3}$/.test(one.code)).length;
	if (unread(now) !== unread(before)) return unread(now) < unread(before);
	return weight(now) < weight(before);
}

function rulesOver(checker) {
	const { ts } = checker;
	return [
		['fences', 'Took out marks of Markdown blocks.', fences],
		['types', 'Took types out of a JavaScript file.', (file, own) => withoutTypes(ts, file, own)],
		['comments', 'Wrote HTML comments as comments of JSX.', comments],
		['void_elements', 'Closed elements that have no content.', voidElements],
		['one_root', 'Put elements side by side into a fragment.', (file, own) => oneRoot(ts, file, own)],
		['attributes', "Wrote attributes by React's names.", (file) => attributes(ts, file)],
		['styles', 'Wrote style attributes as objects.', (file) => styles(ts, file)],
		['imports', 'Imported names of React that were used without.', (file, own) => imports(checker, file, own)],
	];
}

function fences(file) {
	return file.text.replace(/^[ \t]*(```+|~~~+)[^\n`]*$\n?/gm, '');
}

function withoutTypes(ts, file, own) {
	if (!/\.jsx?$/.test(file.path) || !own.some((one) => /^TS80[01]\d$/.test(one.code))) return file.text;
	const compilerOptions = {
		jsx: ts.JsxEmit.Preserve,
		module: ts.ModuleKind.ESNext,
		target: ts.ScriptTarget.ESNext,
	};
	const fileName = file.path.replace(/\.jsx?$/, '.tsx');
	return ts.transpileModule(file.text, { compilerOptions, fileName }).outputText;
}

function comments(file) {
	return file.text.replace(/<!--([\s\S]*?)-->/g, (_, text) => `{/*${text.replaceAll('*/', '* /')}*/}`);
}

function voidElements(file, own) {
	if (!own.some((one) => ['TS17008', 'TS17002', 'TS17014'].includes(one.code))) return file.text;
	const pattern = new RegExp(`<(${VOID})\\b((?:[^<>"'{}=]|=(?!>)|"[^"]*"|'[^']*'|\\{(?:[^{}]|\\{[^{}]*\\})*\\})*?)\\s*>`, 'g');
	return file.text
		.replace(pattern, (whole, tag, rest) => (rest.endsWith('/') ? whole : `<${tag}${rest} />`))
		.replace(new RegExp(`</(${VOID})>`, 'g'), '');
}

function oneRoot(ts, file, own) {
	if (!own.some((one) => one.code === 'TS2657')) return file.text;
	const source = ts.createSourceFile(file.path, file.text, 99, true, kindOf(ts, file.path));
	let text = file.text;
	const spots = [];
	const walk = (node) => {
		const sides = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.CommaToken;
		if (sides && isElement(ts, node.left) && ts.isParenthesizedExpression(node.parent)) {
			spots.push([node.parent.getStart(source) + 1, node.parent.getEnd() - 1]);
			return;
		}
		ts.forEachChild(node, walk);
	};
	walk(source);
	for (const [start, end] of spots.reverse()) {
		text = `${text.slice(0, start)}<>${text.slice(start, end)}</>${text.slice(end)}`;
	}
	return text;
}

function isElement(ts, node) {
	return ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node);
}

function attributes(ts, file) {
	const edits = [];
	eachAttribute(ts, file, (node, name) => {
		const right = reactName(name);
		const there = node.parent.properties.some((one) => one.name?.getText?.() === right);
		if (right && !there) edits.push([node.name.getStart(), node.name.getEnd(), right]);
	});
	return edited(file.text, edits);
}

function styles(ts, file) {
	const edits = [];
	eachAttribute(ts, file, (node, name) => {
		if (name !== 'style' || !node.initializer || !ts.isStringLiteral(node.initializer)) return;
		const object = asObject(node.initializer.text);
		if (object) edits.push([node.initializer.getStart(), node.initializer.getEnd(), object]);
	});
	return edited(file.text, edits);
}

const ELSEWHERE = {
	createRoot: 'react-dom/client',
	hydrateRoot: 'react-dom/client',
	createPortal: 'react-dom',
	flushSync: 'react-dom',
	useFormStatus: 'react-dom',
	ReactDOM: 'react-dom/client',
};

function imports(checker, file, own) {
	const missing = new Set(
		own
			.filter((one) => ['TS2304', 'TS2552', 'TS2686', 'TS2503'].includes(one.code))
			.map((one) => /'([A-Za-z_]\w*)'/.exec(one.message)?.[1])
			.filter(Boolean),
	);
	const known = exportsOf(checker);
	const typed = /\.tsx?$/.test(file.path);
	let text = file.text;
	for (const name of missing) {
		if (name === 'React') text = withDefault(text, 'React', 'react');
		else if (name === 'ReactDOM') text = withDefault(text, 'ReactDOM', ELSEWHERE[name]);
		else if (Object.hasOwn(ELSEWHERE, name)) text = withName(text, name, ELSEWHERE[name], false);
		else if (known.values.has(name)) text = withName(text, name, 'react', false);
		else if (typed && known.types.has(name)) text = withName(text, name, 'react', true);
	}
	return text;
}

let found;
function exportsOf({ ts, service }) {
	if (found) return found;
	const path = 'exports.tsx';
	service.put([{ path, text: "import * as R from 'react'; export type X = typeof R;" }]);
	const program = service.service.getProgram();
	const types = program.getTypeChecker();
	const source = program.getSourceFile(service.name(path));
	const target = types.getSymbolAtLocation(source.statements[0].moduleSpecifier);
	const all = types.getExportsOfModule(target).map((one) => {
		const symbol = one.flags & ts.SymbolFlags.Alias ? types.getAliasedSymbol(one) : one;
		return [one.name, Boolean(symbol.flags & ts.SymbolFlags.Value)];
	});
	found = {
		values: new Set(all.filter(([, value]) => value).map(([name]) => name)),
		types: new Set(all.filter(([, value]) => !value).map(([name]) => name)),
	};
	return found;
}

function withName(text, name, module, type) {
	const quoted = module.replace('/', '\\/');
	const pattern = new RegExp(`^(import\\s+(?:[\\w$]+\\s*,\\s*)?\\{)([^}]*)(\\}\\s*from\\s*['"]${quoted}['"])`, 'm');
	const entry = type ? `type ${name}` : name;
	if (pattern.test(text)) {
		return text.replace(pattern, (_, head, names, tail) => {
			const list = names.split(',').map((one) => one.trim()).filter(Boolean);
			return `${head} ${[...list, entry].join(', ')} ${tail}`;
		});
	}
	return atTop(text, `import { ${entry} } from '${module}';`);
}

function withDefault(text, name, module) {
	const pattern = new RegExp(`^import\\s+\\{([^}]*)\\}\\s*from\\s*(['"])${module}\\2`, 'm');
	if (pattern.test(text)) {
		return text.replace(pattern, (_, names, quote) => `import ${name}, {${names}} from ${quote}${module}${quote}`);
	}
	return atTop(text, `import ${name} from '${module}';`);
}

// After directives ('use client') and comments at the top.
function atTop(text, line) {
	const opening = /^(?:\s*(?:(['"])use \w+\1;?|\/\/[^\n]*|\/\*[\s\S]*?\*\/)[ \t]*\n)*/.exec(text)[0];
	return `${opening}${line}\n${text.slice(opening.length)}`;
}

function edited(text, edits) {
	for (const [start, end, put] of edits.sort((one, other) => other[0] - one[0])) {
		text = text.slice(0, start) + put + text.slice(end);
	}
	return text;
}
