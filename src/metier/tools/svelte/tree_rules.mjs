// Rules for files that parse and break a rule of the compiler. They read the tree, change the text at
// its offsets, and leave everything else as it was.
import { edited, scripts, withCode } from './scanning.mjs';

const RUNES = /^\$(state|derived|effect|props|bindable|inspect|host)$/;

/** Every node of a tree with its parents, the outermost first. */
export function* walk(node, parents = []) {
	if (!node || typeof node !== 'object') return;
	if (Array.isArray(node)) {
		for (const item of node) yield* walk(item, parents);
		return;
	}
	if (typeof node.type === 'string') yield { node, parents };
	const below = typeof node.type === 'string' ? [...parents, node] : parents;
	for (const [name, value] of Object.entries(node)) {
		if (name !== 'metadata' && name !== 'loc' && name !== 'comments') yield* walk(value, below);
	}
}

function nodes(tree, type, test = () => true) {
	const found = [];
	for (const item of walk([tree.module, tree.instance, tree.fragment])) {
		if (item.node.type === type && test(item.node, item.parents)) found.push(item);
	}
	return found;
}

const source = (text, node) => text.slice(node.start, node.end);
const calledRune = (node) => (node?.type === 'CallExpression' ? runeOf(node.callee) : null);
function runeOf(callee) {
	if (callee?.type === 'Identifier' && RUNES.test(callee.name)) return callee.name;
	if (callee?.type === 'MemberExpression' && callee.object.type === 'Identifier' && RUNES.test(callee.object.name)) {
		return `${callee.object.name}.${callee.property.name}`;
	}
	return null;
}
const isFunctionNode = (node) => /^(Arrow)?FunctionExpression$/.test(node?.type ?? '');

/** Imports of runes: they are there without. */
function runeImport(text, { tree }) {
	const edits = [];
	for (const { node } of nodes(tree, 'ImportDeclaration')) {
		const internal = /^svelte\/internal/.test(node.source.value);
		const kept = node.specifiers.filter((one) => !internal && !one.local.name.startsWith('$') && !one.imported?.name?.startsWith('$'));
		if (kept.length === node.specifiers.length && !internal) continue;
		const put = kept.length ? `import { ${kept.map((one) => source(text, one)).join(', ')} } from ${node.source.raw};` : '';
		edits.push(put ? [node.start, node.end, put] : [...wholeLine(text, node.start, node.end), '']);
	}
	return edits.length ? edited(text, edits) : null;
}

/** Start and end widened to the whole line, its end included, if nothing else stands on it. */
function wholeLine(text, start, end) {
	const first = text.lastIndexOf('\n', start - 1) + 1;
	const last = text.indexOf('\n', end);
	const alone = last >= 0 && !text.slice(first, start).trim() && !text.slice(end, last).trim();
	return alone ? [first, last + 1] : [start, end];
}

/** A declaration of `$name` becomes one of `name`, with everything that reads it. */
function dollarName(text, { tree }) {
	const names = new Set();
	const declared = new Set();
	for (const { node, parents } of walk([tree.module, tree.instance, tree.fragment])) {
		if (node.type !== 'Identifier') continue;
		if (isDeclared(node, parents)) (node.name.startsWith('$') ? names : declared).add(node.name);
	}
	const wanted = [...names].filter((name) => name.length > 1 && !RUNES.test(name) && !declared.has(name.slice(1)));
	if (!wanted.length) return null;
	return renamed(text, tree, new Map(wanted.map((name) => [name, name.slice(1)])));
}

function isDeclared(node, parents) {
	const parent = parents.at(-1);
	if (/^(Variable|Function|Class)/.test(parent?.type ?? '')) {
		return parent.id === node || (parent.params ?? []).includes(node);
	}
	if (parent?.type === 'ArrowFunctionExpression') return parent.params.includes(node);
	return ['SnippetBlock', 'EachBlock'].includes(parent?.type) && parent.expression !== node;
}

/** Renames identifiers where they are read or declared, not where they are keys of an object. */
function renamed(text, tree, names) {
	const edits = new Map();
	for (const { node, parents } of walk([tree.module, tree.instance, tree.fragment])) {
		if (node.type !== 'Identifier' || !names.has(node.name)) continue;
		const parent = parents.at(-1);
		const member = parent?.type === 'MemberExpression' && parent.property === node && !parent.computed;
		const key = parent?.type === 'Property' && parent.key === node && !parent.shorthand;
		if (member || key) continue;
		const own = parent?.type === 'Property' && parent.shorthand ? `${node.name}: ` : '';
		edits.set(node.start, [node.start, node.start + node.name.length, own + names.get(node.name)]);
	}
	return edits.size ? edited(text, [...edits.values()]) : null;
}

/** A constant that is assigned or bound becomes `let`. */
function constantToLet(text, { tree, error }) {
	const at = error.position?.[0];
	let name = null;
	for (const { node } of walk([tree.instance, tree.module, tree.fragment])) {
		if (at === undefined || node.start > at || node.end <= at) continue;
		const target = node.type === 'AssignmentExpression' ? node.left : node.argument ?? node.expression;
		const targets = { AssignmentExpression: 1, UpdateExpression: 1, BindDirective: 1 };
		if (targets[node.type] && target?.type === 'Identifier') name = target.name;
	}
	const names = name ? [name] : [];
	const edits = nodes(tree, 'VariableDeclaration', (node) => node.kind === 'const' && node.declarations.some((one) => names.some((wanted) => binds(one.id, wanted))))
		.map(({ node }) => [node.start, node.start + 5, 'let']);
	return edits.length ? edited(text, edits) : null;
}

function binds(pattern, name) {
	for (const { node, parents } of walk(pattern)) {
		const parent = parents.at(-1);
		const key = parent?.type === 'Property' && parent.key === node && !parent.shorthand;
		if (node.type === 'Identifier' && node.name === name && !key) return true;
	}
	return false;
}

/** `$derived(number, (n) => …)`, `$effect(fn, [deps])`: one argument that does what was meant. */
function oneArgument(text, { tree }) {
	const edits = [];
	for (const { node } of nodes(tree, 'CallExpression', (call) => calledRune(call))) {
		const rune = calledRune(node);
		const [first, second] = node.arguments;
		const made = !second ? withoutArgument(rune, node) : withOne(rune, text, first, second);
		if (made) edits.push([node.start, node.end, made]);
	}
	return edits.length ? edited(text, [edits[0]]) : null;
}

function withoutArgument(rune, node) {
	return rune === '$effect' && !node.arguments.length ? '$effect(() => {})' : null;
}

function withOne(rune, text, first, second) {
	const values = source(text, first);
	const other = source(text, second);
	if (rune === '$state') return `$state(${values})`;
	if (/^\$effect/.test(rune)) {
		if (isFunctionNode(first)) return `${rune}(${values})`;
		return isFunctionNode(second) ? `${rune}(() => { (${other})(${values}); })` : null;
	}
	if (!/^\$derived/.test(rune)) return null;
	if (isFunctionNode(first)) {
		const plain = !first.params.length || second.type === 'ArrayExpression' && first.params.length !== second.elements.length;
		if (plain) return `$derived.by(${values})`;
		const spread = second.type === 'ArrayExpression' && first.params.length > 1 ? other.slice(1, -1) : other;
		return `$derived((${values})(${spread}))`;
	}
	if (isFunctionNode(second)) {
		if (!second.params.length) return `$derived.by(${other})`;
		const spread = first.type === 'ArrayExpression' && second.params.length > 1 ? values.slice(1, -1) : values;
		return `$derived((${other})(${spread}))`;
	}
	return first.type === 'Identifier' && rune === '$derived.by' ? `$derived(${values}(${other}))` : null;
}

/** `= $props` gets its brackets. */
function runeBrackets(text, { tree }) {
	const edits = nodes(tree, 'Identifier', (node, parents) => {
		const parent = parents.at(-1);
		const alone = parent?.type === 'VariableDeclarator' && parent.init === node;
		return RUNES.test(node.name) && (alone || (parent?.type === 'LogicalExpression' && parent.left === node));
	}).map(({ node }) => [node.start, node.end, `${node.name}()`]);
	return edits.length ? edited(text, edits) : null;
}

/** `$: x = y` becomes `$derived`, `$state` or a function; other `$:` statements an `$effect`. */
function reactiveStatement(text, { tree }) {
	const edits = [];
	const taken = new Set();
	for (const { node } of nodes(tree, 'LabeledStatement', (one) => one.label.name === '$')) {
		const assigned = node.body.type === 'ExpressionStatement' && node.body.expression;
		if (assigned?.type === 'AssignmentExpression' && assigned.left.type === 'Identifier' && assigned.operator === '=') {
			const name = assigned.left.name;
			const value = source(text, assigned.right);
			const written = assignments(tree, name) > 1 || bound(tree, name);
			for (const { node: one } of nodes(tree, 'VariableDeclaration', (item) => item.declarations.length === 1 && item.declarations[0].id.name === name)) {
				edits.push([one.start, one.end, '']);
			}
			edits.push([node.start, node.end, taken.has(name) ? '' : declaration(name, value, assigned.right, written)]);
			taken.add(name);
		} else if (node.body.type === 'FunctionDeclaration') edits.push([node.start, node.body.start, '']);
		else {
			const body = source(text, node.body);
			edits.push([node.start, node.end, `$effect(() => ${node.body.type === 'BlockStatement' ? body : `{ ${body} }`});`]);
		}
	}
	return edits.length ? edited(text, edits) : null;
}

function declaration(name, value, node, written) {
	if (calledRune(node)) return `let ${name} = ${value};`;
	if (isFunctionNode(node)) return `const ${name} = ${value};`;
	return written || node.type === 'Literal' ? `let ${name} = $state(${value});` : `let ${name} = $derived(${value});`;
}

function assignments(tree, name) {
	const assigned = nodes(tree, 'AssignmentExpression', (node) => node.left.name === name).length;
	return assigned + nodes(tree, 'UpdateExpression', (node) => node.argument.name === name).length;
}

function bound(tree, name) {
	return nodes(tree, 'BindDirective', (node) => node.expression?.name === name).length > 0;
}

/** `export let` props become one destructured `$props()`. */
function exportedProps(text, { tree }) {
	const fields = [];
	const edits = [];
	for (const { node } of nodes(tree, 'ExportNamedDeclaration', (one) => one.declaration?.type === 'VariableDeclaration' && one.declaration.kind !== 'const')) {
		for (const one of node.declaration.declarations) {
			fields.push(one.init ? `${one.id.name} = ${source(text, one.init)}` : one.id.name);
		}
		edits.push([node.start, node.end, '']);
	}
	if (!fields.length || nodes(tree, 'CallExpression', (node) => calledRune(node) === '$props').length) return null;
	edits[0][2] = `let { ${fields.join(', ')} } = $props();`;
	return edited(text, edits);
}

/** `$state(x = 5);` and `$derived(y = x * 2);` as statements become declarations. */
function runeAsStatement(text, { tree }) {
	const edits = [];
	for (const { node } of nodes(tree, 'ExpressionStatement', (one) => /^\$(state|derived)/.test(calledRune(one.expression) ?? ''))) {
		const [first, second] = node.expression.arguments;
		const rune = calledRune(node.expression);
		if (first?.type === 'AssignmentExpression' && first.left.type === 'Identifier') {
			edits.push([node.start, node.end, `let ${first.left.name} = ${rune}(${source(text, first.right)});`]);
		} else if (first?.type === 'Identifier' && rune === '$state') {
			const declared = nodes(tree, 'VariableDeclarator', (one) => one.id.name === first.name)[0]?.node;
			if (declared && !calledRune(declared.init)) {
				const value = declared.init ? source(text, declared.init) : second ? source(text, second) : '';
				edits.push([declared.id.end, declared.end, ` = $state(${value})`], [node.start, node.end, '']);
			} else if (!declared) edits.push([node.start, node.end, `let ${first.name} = $state(${second ? source(text, second) : ''});`]);
		} else if (first?.type === 'ObjectExpression' && rune === '$state') {
			const lines = first.properties.filter((one) => one.key?.name).map((one) => `let ${one.key.name} = $state(${source(text, one.value)});`);
			edits.push([node.start, node.end, lines.join('\n')]);
		}
	}
	return edits.length ? edited(text, edits) : null;
}

/** A rune that is read in the markup (`{$derived(x)}`, `{$state(x)}`) is the expression itself. */
function runeInMarkup(text, { tree }) {
	for (const { node } of walk(tree.fragment)) {
		const rune = calledRune(node);
		if (!/^\$(state|derived)/.test(rune ?? '') || !node.arguments.length) continue;
		const [first, second] = node.arguments;
		let put = source(text, first);
		if (second && isFunctionNode(second)) put = `(${source(text, second)})(${put})`;
		else if (isFunctionNode(first)) put = `(${put})()`;
		return edited(text, [[node.start, node.end, put]]);
	}
	return null;
}

/** `let x = $effect(() => value)` is a `$derived`; one without a value is a plain `$effect`. */
function effectAsValue(text, { tree }) {
	const edits = [];
	for (const { node, parents } of nodes(tree, 'VariableDeclarator', (one) => calledRune(one.init) === '$effect')) {
		const [first] = node.init.arguments;
		if (!isFunctionNode(first)) continue;
		const returns = first.body.type !== 'BlockStatement' || [...walk(first.body)].some((item) => item.node.type === 'ReturnStatement' && item.node.argument);
		if (returns) edits.push([node.init.start, node.init.end, `$derived.by(${source(text, first)})`]);
		else edits.push([parents.at(-1).start, parents.at(-1).end, `$effect(${source(text, first)});`]);
	}
	return edits.length ? edited(text, edits) : null;
}

/** `{$effect(() => …)}` in the markup moves into the script. */
function effectInMarkup(text, { tree }) {
	for (const { node } of walk(tree.fragment)) {
		if (node.type !== 'ExpressionTag' || !/^\$effect/.test(calledRune(node.expression) ?? '')) continue;
		const code = `${source(text, node.expression)};`;
		return withCode(text.slice(0, node.start) + text.slice(node.end), code);
	}
	return null;
}

/** A second `<svelte:options>` goes; so do attributes that it does not have. */
function optionsOnce(text, { error }) {
	if (error.code === 'svelte_meta_duplicate') {
		const pattern = /<svelte:options\b[^>]*?(\/>|>\s*<\/svelte:options\s*>)[ \t]*\n?/g;
		const all = [...text.matchAll(pattern)].slice(1);
		return all.length ? edited(text, all.map((one) => [one.index, one.index + one[0].length, ''])) : null;
	}
	const [start, end] = error.position ?? [];
	return end > start && /^[\w:]+(=("[^"]*"|'[^']*'|\{[^}]*\}))?$/.test(text.slice(start, end)) ? edited(text, [[start, end, '']]) : null;
}

/** State that a component changes is not exported from it. */
function exportedState(text, { tree }) {
	const edits = nodes(tree, 'ExportNamedDeclaration', (node) => node.declaration?.declarations?.some((one) => calledRune(one.init)))
		.map(({ node }) => [node.start, node.declaration.start, '']);
	return edits.length ? edited(text, edits) : null;
}

/** A second instance script is merged into the first. */
function oneScript(text) {
	const [first, second] = scripts(text).filter((script) => !script.module);
	if (!second) return null;
	const without = text.slice(0, second.open) + text.slice(second.close);
	return edited(without, [[first.end, first.end, text.slice(second.start, second.end)]]);
}

const rule = (name, says, mend, ...codes) => ({ name, says, mend, codes, tree: true });

export const treeRules = [
	rule('rune-import', 'Took out an import of runes, which need none.', runeImport, 'dollar_prefix_invalid', 'import_svelte_internal_forbidden', 'rune_missing_parentheses', 'rune_invalid_name'),
	rule('dollar-name', 'Took the $ from names of your own.', dollarName, 'dollar_prefix_invalid'),
	rule('constant-to-let', 'Declared with let what is assigned later.', constantToLet, 'constant_assignment', 'constant_binding'),
	rule('one-argument', 'Gave the rune one argument.', oneArgument, 'rune_invalid_arguments_length'),
	rule('rune-brackets', 'Called the rune.', runeBrackets, 'rune_missing_parentheses'),
	rule('reactive-statement', 'Wrote $: as $derived or $effect.', reactiveStatement, 'legacy_reactive_statement_invalid'),
	rule('exported-props', 'Wrote export let as $props().', exportedProps, 'legacy_export_invalid'),
	rule('rune-as-statement', 'Declared what the rune makes.', runeAsStatement, 'state_invalid_placement'),
	rule('rune-in-markup', 'Read the value itself where the markup called a rune.', runeInMarkup, 'state_invalid_placement'),
	rule('effect-as-value', 'Wrote an $effect that gives a value as $derived.by.', effectAsValue, 'effect_invalid_placement'),
	rule('effect-in-markup', 'Moved an $effect from the markup into the script.', effectInMarkup, 'effect_invalid_placement'),
	{ ...rule('options-once', 'Kept one <svelte:options> with the attributes it has.', optionsOnce, 'svelte_meta_duplicate', 'svelte_options_unknown_attribute', 'svelte_options_invalid_tagname', 'svelte_options_invalid_attribute'), tree: false },
	{ ...rule('one-script', 'Merged two scripts.', oneScript, 'script_duplicate'), tree: false },
	rule('exported-state', 'Kept state of the component from being exported.', exportedState, 'state_invalid_export', 'derived_invalid_export'),
];

export { calledRune, isFunctionNode, nodes, renamed, RUNES, source };
