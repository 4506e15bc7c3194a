// Rules for files that compile now and would still not do what they say: a value read as a store, a
// name that is updated and not declared as state. They run only on files that another rule mended.
import { edited } from './scanning.mjs';
import { calledRune, nodes, renamed, source } from './tree_rules.mjs';

/** `$count` where `count` is state, derived or a prop reads the value itself. */
function valueReadAsStore(text, { tree }) {
	const names = new Map();
	for (const { node } of nodes(tree, 'VariableDeclarator', (one) => calledRune(one.init))) {
		const ids = node.id.type === 'Identifier' ? [node.id.name] : patternNames(node.id);
		for (const name of ids) names.set(`$${name}`, name);
	}
	return renamed(text, tree, names);
}

function patternNames(pattern) {
	return (pattern.properties ?? []).map((one) => (one.value?.left ?? one.value)?.name).filter(Boolean);
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

const rule = (name, says, mend) => ({ name, says, mend, codes: [], tree: true });

export const finishingRules = [
	rule('value-read-as-store', 'Read state without the $ of a store.', valueReadAsStore),
	rule('updated-without-state', 'Declared with $state what the markup shows and a function changes.', updatedWithoutState),
];
