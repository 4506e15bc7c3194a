// The loop of repairs: the first error chooses the rules, a rule's text is kept if the error is gone
// or another, and the whole only if there are fewer errors than before.
import { compiled, diagnose, withoutMark } from './diagnosing.mjs';
import { finishingRules } from './finishing_rules.mjs';
import { snippetRules } from './snippet_rules.mjs';
import { propsRules } from './props_rules.mjs';
import { syntaxRules } from './syntax_rules.mjs';
import { treeRules } from './tree_rules.mjs';

const RULES = [...syntaxRules, ...snippetRules, ...propsRules, ...treeRules];
const MOST_ROUNDS = 24;

/** Mend one component; `request`: path, text, without (names of rules to leave out). */
export function mend(compiler, { path, text: given, without = [] }) {
	const text = withoutMark(given);
	const rules = (all) => all.filter((rule) => !without.includes(rule.name));
	const mending = { compiler, path, rules: rules(RULES), applied: [] };
	const { error } = compiled(compiler, path, text);
	let step = loop(mending, text, error);
	if (!step.error) step = finish(mending, step.text, rules(finishingRules).filter((rule) => error || rule.alone));
	const better = mending.applied.length && (!step.error || fewer(compiler, path, text, step.text));
	return better ? { text: step.text, applied: once(mending.applied) } : { text: given, applied: [] };
}

/** Applies rules until there is no error, or none that a rule changes. */
function loop(mending, text, error) {
	for (let round = 0; error && round < MOST_ROUNDS; round += 1) {
		const step = bestOf(mending, text, error);
		if (!step) break;
		mending.applied.push([step.rule.name, step.rule.says]);
		({ text, error } = step);
	}
	return { text, error };
}

/** Applies each finishing rule once; what it breaks is mended at once, or it is taken back. */
function finish(mending, text, rules) {
	for (const rule of rules) {
		const kept = mending.applied.length;
		const step = tried(mending, text, null, rule);
		if (!step) continue;
		mending.applied.push([rule.name, rule.says]);
		const after = loop(mending, step.text, step.error);
		if (after.error) mending.applied.length = kept;
		else text = after.text;
	}
	return { text };
}

function once(applied) {
	const names = new Set();
	return applied.filter(([name]) => !names.has(name) && names.add(name));
}

function fewer(compiler, path, before, after) {
	const errors = (text) => diagnose(compiler, 5, { path, text }).diagnostics.filter((one) => one.severity === 'error').length;
	return errors(after) < errors(before);
}

/** The first rule that removes the error; else the first that changes it. */
function bestOf(mending, text, error) {
	let second = null;
	for (const rule of mending.rules.filter((one) => one.codes.includes(error.code))) {
		const step = tried(mending, text, error, rule);
		if (!step) continue;
		if (!step.error) return step;
		if (!second && key(step.error, step.text) !== key(error, text)) second = step;
	}
	return second;
}

function tried({ compiler, path }, text, error, rule) {
	let made;
	try {
		const tree = rule.tree ? compiler.parse(text, { modern: true, filename: path }) : null;
		made = rule.mend(text, { tree, error, compiler });
	} catch {
		// A rule that cannot read the text has nothing to say about it.
		return null;
	}
	if (!made || made === text) return null;
	return { rule, text: made, error: compiled(compiler, path, made).error };
}

/** An error's code with the line it stands on: the same slip in another place is another error. */
function key(error, text) {
	const at = error.position?.[0] ?? 0;
	const from = text.lastIndexOf('\n', at - 1) + 1;
	const to = text.indexOf('\n', at);
	return `${error.code} ${text.slice(from, to < 0 ? text.length : to).trim()}`;
}
