// Rules for files that compile now and would still not do what they say: a value read as a store, a
// name that is updated and not declared as state. Those that are `alone` also run on files that
// compiled from the start; the others only on what another rule mended.
import { edited, instance } from './scanning.mjs';
import { calledRune, isFunctionNode, nodes, renamed, RUNES, source, walk } from './tree_rules.mjs';

/** `$count` where `count` is state, derived or a prop reads the value itself. */
function valueReadAsStore(text, { tree }) {
	const names = new Map();
	for (const { node } of nodes(tree, 'VariableDeclarator', (one) => calledRune(one.init))) {
		const ids = node.id.type === 'Identifier' ? [node.id.name] : patternNames(node.id);
		for (const name of ids) if (!RUNES.test(`$${name}`)) names.set(`$${name}`, name);
	}
	return renamed(text, tree, names);
}

function patternNames(pattern) {
	return (pattern.properties ?? []).map((one) => (one.value?.left ?? one.value)?.name).filter(Boolean);
}

/** `$derived.by((text) => …)` with parameters that are names of the component loses them. */
function parametersOfDerived(text, { tree }) {
	const declared = new Set(nodes(tree, 'VariableDeclarator').flatMap(({ node }) => (node.id.name ? [node.id.name] : patternNames(node.id))));
	const edits = [];
	for (const { node } of nodes(tree, 'CallExpression', (one) => /^\$(derived\.by|effect)$/.test(calledRune(one) ?? ''))) {
		const [first] = node.arguments;
		if (!isFunctionNode(first) || !first.params.length) continue;
		const plain = first.params.every((one) => one.type === 'Identifier' && declared.has(one.name));
		const from = text.lastIndexOf('(', first.params[0].start);
		if (plain && from > first.start - 1 && first.type === 'ArrowFunctionExpression') {
			const end = text.indexOf(')', first.params.at(-1).end) + 1;
			edits.push(from >= first.start ? [from, end, '()'] : [first.params[0].start, first.params[0].end, '()']);
		}
	}
	return edits.length ? edited(text, edits) : null;
}

/** A variable called `state` hides the rune `$state`; it is called otherwise. */
function nameOfARune(text, { tree }) {
	const names = new Map();
	for (const { node } of nodes(tree, 'VariableDeclarator', (one) => /^(state|derived|effect|props|inspect)$/.test(one.id.name ?? ''))) {
		const used = nodes(tree, 'CallExpression', (one) => (calledRune(one) ?? '').split('.')[0] === `$${node.id.name}`).length;
		if (used) names.set(node.id.name, `${node.id.name}Value`);
	}
	return names.size ? renamed(text, tree, names) : null;
}

/** What the markup shows and a function changes is state. */
function updatedWithoutState(text, { tree, compiler }) {
	const made = compiler.compile(text, { generate: false, modernAst: true });
	const names = made.warnings
		.filter((one) => one.code === 'non_reactive_update')
		.map((one) => /^`([^`]+)`/.exec(one.message)?.[1]);
	const edits = nodes(tree, 'VariableDeclarator', (node) => names.includes(node.id.name)).map(({ node }) => {
		return [node.id.end, node.end, ` = $state(${node.init ? source(text, node.init) : ''})`];
	});
	return edits.length ? edited(text, edits) : null;
}

/** `$derived(() => x)` that is never called is `$derived.by`. */
function derivedFunction(text, { tree }) {
	const edits = [];
	for (const { node } of nodes(tree, 'VariableDeclarator', (one) => calledRune(one.init) === '$derived')) {
		const [first] = node.init.arguments;
		if (!isFunctionNode(first) || first.params.length || node.id.type !== 'Identifier') continue;
		const called = nodes(tree, 'CallExpression', (one) => one.callee.name === node.id.name).length;
		if (!called) edits.push([node.init.callee.start, node.init.callee.end, '$derived.by']);
	}
	return edits.length ? edited(text, edits) : null;
}

/** Runes that are imported from svelte without their sign are called with it. */
function runeWithoutSign(text, { tree }) {
	const edits = [];
	const names = new Map();
	for (const { node } of nodes(tree, 'ImportDeclaration', (one) => /^svelte(\/|$)/.test(one.source.value))) {
		const kept = node.specifiers.filter((one) => !/^(state|derived|effect|props|bindable|inspect|snippet|render)$/.test(one.imported?.name ?? '') || one.imported.name === 'derived' && node.source.value === 'svelte/store');
		if (kept.length === node.specifiers.length) continue;
		for (const one of node.specifiers) if (!kept.includes(one)) names.set(one.local.name, `$${one.imported.name}`);
		edits.push([node.start, node.end, kept.length ? `import { ${kept.map((one) => source(text, one)).join(', ')} } from ${node.source.raw};` : '']);
	}
	if (!edits.length) return null;
	for (const { node } of nodes(tree, 'CallExpression')) {
		const callee = node.callee.type === 'MemberExpression' ? node.callee.object : node.callee;
		if (callee.type === 'Identifier' && names.has(callee.name) && !/snippet|render/.test(callee.name)) edits.push([callee.start, callee.end, names.get(callee.name)]);
	}
	return edited(text, edits);
}

/** A name that is assigned at the top or in an effect and declared nowhere becomes state. */
function assignedUndeclared(text, { tree }) {
	const declared = new Set();
	const assigned = new Set();
	for (const { node, parents } of walk([tree.module, tree.instance, tree.fragment])) {
		if (node.type === 'AssignmentExpression' && node.left.type === 'Identifier') assigned.add(node.left.name);
		const parent = parents.at(-1);
		const target = parent?.type === 'AssignmentExpression' && parent.left === node;
		if (node.type === 'Identifier' && !target && declares(parent, node, parents)) declared.add(node.name);
	}
	const wanted = [...assigned].filter((name) => !declared.has(name) && !name.startsWith('$') && !(name in globalThis));
	const script = instance(text);
	if (!wanted.length || !script) return null;
	const lines = wanted.map((name) => `\n\tlet ${name} = $state();`).join('');
	return edited(text, [[script.start, script.start, lines]]);
}

function declares(parent, node, parents) {
	if (/Specifier$/.test(parent?.type ?? '')) return true;
	if (/^(Variable|Function|Class|Arrow)/.test(parent?.type ?? '')) return parent.id === node || (parent.params ?? []).includes(node);
	if (/^(EachBlock|SnippetBlock|AwaitBlock|CatchClause)$/.test(parent?.type ?? '')) return true;
	return parents.some((one, at) => one.type === 'VariableDeclarator' && parents[at + 1] === one.id);
}

/** `count()`, `count.value`, `count.set(x)` of state that is a plain value read and write it. */
function stateAsObject(text, { tree }) {
	const names = new Set(nodes(tree, 'VariableDeclarator', (node) => {
		const [first] = calledRune(node.init) === '$state' ? node.init.arguments : [null];
		return calledRune(node.init) === '$state' && !/^(New|Object|Call|Await|Arrow|Function)/.test(first?.type ?? '');
	}).map(({ node }) => node.id.name));
	const edits = [];
	for (const { node, parents } of nodes(tree, 'Identifier', (one) => names.has(one.name))) {
		const parent = parents.at(-1);
		const above = parents.at(-2);
		if (parent?.type === 'CallExpression' && parent.callee === node && !parent.arguments.length) edits.push([parent.start, parent.end, node.name]);
		if (parent?.type !== 'MemberExpression' || parent.object !== node || parent.computed) continue;
		const call = above?.type === 'CallExpression' && above.callee === parent;
		if (parent.property.name === 'value' && !call) edits.push([parent.start, parent.end, node.name]);
		else if (parent.property.name === 'set' && call && above.arguments.length === 1) edits.push([above.start, above.end, `${node.name} = ${source(text, above.arguments[0])}`]);
		else if (parent.property.name === 'update' && call && above.arguments.length === 1) edits.push([above.start, above.end, `${node.name} = (${source(text, above.arguments[0])})(${node.name})`]);
	}
	return edits.length && !overlap(edits) ? edited(text, edits) : null;
}

function overlap(edits) {
	const sorted = [...edits].sort((one, other) => one[0] - other[0]);
	return sorted.some((one, at) => at > 0 && one[0] < sorted[at - 1][1]);
}

const rule = (name, says, mend, alone = false) => ({ name, says, mend, codes: [], tree: true, alone });

export const finishingRules = [
	rule('name-of-a-rune', 'Gave a variable a name that hides no rune.', nameOfARune),
	rule('parameters-of-derived', 'Took out parameters that nobody gives.', parametersOfDerived),
	rule('value-read-as-store', 'Read state without the $ of a store.', valueReadAsStore, true),
	rule('rune-without-sign', 'Called runes with their sign.', runeWithoutSign),
	rule('assigned-undeclared', 'Declared what is assigned and was declared nowhere.', assignedUndeclared),
	rule('state-as-object', 'Read and wrote state as the value it is.', stateAsObject),
	rule('derived-function', 'Wrote a $derived of a function as $derived.by.', derivedFunction, true),
	rule('updated-without-state', 'Declared with $state what the markup shows and a function changes.', updatedWithoutState, true),
];
