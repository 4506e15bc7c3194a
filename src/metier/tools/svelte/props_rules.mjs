// Rules for props and state that are written as an object: `$props({ name: 'World' })`,
// `$props.name`, `$state.count`.
import { edited, instance } from './scanning.mjs';
import { calledRune, nodes, renamed, source, walk } from './tree_rules.mjs';

/** Defaults that are handed to `$props(…)` become defaults of the pattern. */
function propsDefaults(text, { tree }) {
	const found = nodes(tree, 'CallExpression', (node) => calledRune(node) === '$props' && node.arguments.length > 0)[0];
	if (!found) return null;
	const given = found.node.arguments[0];
	const defaults = given.type === 'ObjectExpression' ? fieldsOf(text, given) : new Map();
	const parent = found.parents.at(-1);
	if (parent.type === 'VariableDeclarator' && parent.id.type === 'ObjectPattern') {
		return edited(text, [[parent.id.start, parent.end, `${withDefaults(text, parent.id, defaults)} = $props()`]]);
	}
	const fields = [...defaults].map(([name, value]) => (value === null ? name : `${name} = ${value}`));
	if (!fields.length) return null;
	const put = `let { ${fields.join(', ')} } = $props();`;
	if (parent.type === 'ExpressionStatement') return edited(text, [[parent.start, parent.end, put]]);
	if (parent.type !== 'VariableDeclarator' || parent.id.type !== 'Identifier') return null;
	return members(text, tree, parent.id.name, [...defaults.keys()], found.parents.findLast((one) => /Declaration$/.test(one.type) || one.type === 'ExportNamedDeclaration'), put);
}

/** Name to default, the described form `{ type: String, default: 'x' }` included. */
function fieldsOf(text, object) {
	const fields = new Map();
	for (const one of object.properties) {
		if (one.type !== 'Property' || !one.key.name) continue;
		const described = one.value.type === 'ObjectExpression' && one.value.properties.find((item) => item.key?.name === 'default');
		const type = one.value.type === 'Identifier' && /^(String|Number|Boolean|Array|Object)$/.test(one.value.name);
		const bare = one.shorthand || type;
		fields.set(one.key.name, bare ? null : source(text, described ? described.value : one.value));
	}
	return fields;
}

function withDefaults(text, pattern, defaults) {
	const parts = pattern.properties.map((one) => {
		const value = defaults.get(one.key?.name);
		const has = one.type !== 'Property' || one.value.type === 'AssignmentPattern' || value == null;
		return has ? source(text, one) : `${source(text, one)} = ${value}`;
	});
	return `{ ${parts.join(', ')} }`;
}

/** `props.name` becomes `name`, declared by `put` in place of `declaration`. */
function members(text, tree, object, names, declaration, put) {
	const edits = [[declaration.start, declaration.end, put]];
	for (const { node, parents } of walk([tree.module, tree.instance, tree.fragment])) {
		if (node.type !== 'Identifier' || node.name !== object) continue;
		const parent = parents.at(-1);
		if (parent.type === 'VariableDeclarator' && parent.id === node) continue;
		const known = parent.type === 'MemberExpression' && parent.object === node && names.includes(parent.property.name) && !parent.computed;
		if (!known) return null;
		edits.push([parent.start, parent.end, parent.property.name]);
	}
	return edited(text, edits);
}

/** `$props.name` and `$state.count` become names that are destructured or declared. */
function runeMembers(text, { tree }) {
	const members = nodes(tree, 'MemberExpression', (node) => /^\$(props|state)$/.test(node.object.name ?? '') && !node.computed && !/^(raw|snapshot|id|eager)$/.test(node.property.name));
	if (!members.length) return null;
	const props = new Map();
	const state = new Map();
	const edits = [];
	for (const { node, parents } of members) {
		const name = node.property.name;
		const target = node.object.name === '$props' ? props : state;
		const statement = parents.at(-2)?.type === 'ExpressionStatement' && parents.at(-1).type === 'AssignmentExpression' && parents.at(-1).left === node && parents.length <= 4;
		if (!target.has(name)) target.set(name, null);
		if (statement && target === state) {
			target.set(name, source(text, parents.at(-1).right));
			edits.push([parents.at(-2).start, parents.at(-2).end, '']);
		} else edits.push([node.start, node.end, name]);
	}
	return declared(text, tree, edits, props, state);
}

function declared(text, tree, edits, props, state) {
	const script = instance(text);
	const has = (name) => nodes(tree, 'VariableDeclarator', (node) => node.id.name === name).length > 0;
	const lines = [];
	const calls = nodes(tree, 'CallExpression', (node) => calledRune(node) === '$props').length;
	const given = [...props.keys()];
	if (given.length && given.some(has)) return null;
	if (given.length && !calls) lines.push(`let { ${given.join(', ')} } = $props();`);
	for (const [name, value] of state) {
		if (!has(name)) lines.push(`let ${name} = $state(${value ?? initial(text, name)});`);
	}
	const put = lines.map((line) => `\n\t${line}`).join('');
	const made = script ? [...edits, [script.start, script.start, put]] : edits;
	const mended = edited(text, made);
	return script || !lines.length ? mended : `<script>${put}\n</script>\n${mended}`;
}

/** `$state = 5`, `let $state = {…}`, `let $props = {…}`: a rune used as a variable's name. */
function runeAsVariable(text, { tree }) {
	for (const { node, parents } of walk([tree.instance, tree.module])) {
		const declared = node.type === 'VariableDeclarator' && /^\$(state|props)$/.test(node.id.name ?? '') && node.init;
		const assigned = node.type === 'AssignmentExpression' && /^\$(state|props)$/.test(node.left.name ?? '') && parents.at(-1).type === 'ExpressionStatement';
		if (!declared && !assigned) continue;
		const rune = (node.id ?? node.left).name;
		const value = node.init ?? node.right;
		const statement = declared ? outermost(parents) : parents.at(-1);
		if (rune === '$state') {
			const put = `let values = $state(${source(text, value)});`;
			const others = readers(tree, rune).filter((one) => one.start < statement.start || one.end > statement.end);
			return edited(text, [[statement.start, statement.end, put], ...others.map((one) => [one.start, one.start + rune.length, 'values'])]);
		}
		if (value.type !== 'ObjectExpression') return null;
		const fields = [...fieldsOf(text, value)].map(([name, given]) => (given === null ? name : `${name} = ${given}`));
		const reads = nodes(tree, 'MemberExpression', (one) => one.object.name === rune && (one.start < statement.start || one.end > statement.end));
		const put = `let { ${fields.join(', ')} } = $props();`;
		return edited(text, [[statement.start, statement.end, put], ...reads.map(({ node: one }) => [one.start, one.end, one.property.name])]);
	}
	return null;
}

function outermost(parents) {
	const declaration = parents.findLast((one) => one.type === 'VariableDeclaration');
	return parents.findLast((one) => one.type === 'ExportNamedDeclaration') ?? declaration;
}

/** Where a rune's name is read as a value, not called. */
function readers(tree, rune) {
	const found = [];
	for (const { node, parents } of walk([tree.module, tree.instance, tree.fragment])) {
		const parent = parents.at(-1);
		const called = parent?.type === 'CallExpression' && parent.callee === node;
		if (node.type === 'Identifier' && node.name === rune && !called) found.push(node);
	}
	return found;
}

/** Where a state is counted it starts with 0; else it starts undefined. */
function initial(text, name) {
	return new RegExp(`\\$state\\.${name}\\s*(\\+\\+|--|[-+]=\\s*\\d)`).test(text) ? '0' : '';
}

/** `const name = $props.name ?? 'World'`: one destructured pattern with the default. */
function propsByName(text, { tree }) {
	const fields = [];
	const edits = [];
	for (const { node, parents } of nodes(tree, 'VariableDeclarator')) {
		const value = node.init?.type === 'LogicalExpression' ? node.init.left : node.init;
		const member = value?.type === 'MemberExpression' && value.object.name === '$props' && node.id.type === 'Identifier';
		if (!member || parents.at(-1).declarations.length !== 1) continue;
		const name = value.property.name;
		const local = node.id.name === name ? name : `${name}: ${node.id.name}`;
		fields.push(value === node.init ? local : `${local} = ${source(text, node.init.right)}`);
		edits.push([parents.at(-1).start, parents.at(-1).end, '', node.id.name, name]);
	}
	if (!fields.length || nodes(tree, 'CallExpression', (node) => calledRune(node) === '$props').length) return null;
	const locals = new Map(edits.map(([, , , local, name]) => [name, local]));
	const rest = nodes(tree, 'MemberExpression', (node) => node.object.name === '$props' && !edits.some(([start, end]) => node.start >= start && node.end <= end));
	for (const { node } of rest) {
		if (!locals.has(node.property.name)) {
			locals.set(node.property.name, node.property.name);
			fields.push(node.property.name);
		}
		edits.push([node.start, node.end, locals.get(node.property.name)]);
	}
	edits[0][2] = `let { ${fields.join(', ')} } = $props();`;
	return edited(text, edits);
}

/** `$name` where the name is declared without the sign; `$(5)` is `$state(5)`. */
function dollarRead(text, { tree, error }) {
	const name = /^`(\$\w*)` is an illegal/.exec(error.message)?.[1];
	if (!name) return null;
	if (name === '$') return renamed(text, tree, new Map([['$', '$state']]));
	const plain = name.slice(1);
	const bound = [...walk([tree.module, tree.instance])].some(({ node, parents }) => node.type === 'Identifier' && node.name === plain && /^(Variable|Function|Import)|Property|ObjectPattern/.test(parents.at(-1)?.type ?? ''));
	return bound ? renamed(text, tree, new Map([[name, plain]])) : null;
}

const rule = (name, says, mend, ...codes) => ({ name, says, mend, codes, tree: true });

export const propsRules = [
	rule('props-defaults', 'Moved the defaults into the pattern of $props().', propsDefaults, 'rune_invalid_arguments', 'props_invalid_placement'),
	rule('rune-as-variable', 'Declared what a rune was named after.', runeAsVariable, 'rune_missing_parentheses', 'dollar_prefix_invalid'),
	rule('props-by-name', 'Destructured $props() once.', propsByName, 'rune_invalid_name', 'rune_missing_parentheses'),
	rule('rune-members', 'Declared what was read from $props or $state by name.', runeMembers, 'rune_invalid_name', 'rune_missing_parentheses'),
	rule('dollar-read', 'Read a name of your own without the $.', dollarRead, 'global_reference_invalid'),
];
