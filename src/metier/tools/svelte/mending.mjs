// The loop of repairs: the first error chooses the rules, a rule's text is kept if the error is gone
// or another, and the whole only if there are fewer errors than before.
import { compiled, diagnose } from './diagnosing.mjs';
import { finishingRules } from './finishing_rules.mjs';
import { snippetRules } from './snippet_rules.mjs';
import { propsRules } from './props_rules.mjs';
import { syntaxRules } from './syntax_rules.mjs';
import { treeRules } from './tree_rules.mjs';

const RULES = [...syntaxRules, ...snippetRules, ...propsRules, ...treeRules];
const MOST_ROUNDS = 24;

/** Mend one component; `request`: path, text, without (names of rules to leave out). */
export function mend(compiler, { path, text, without = [] }) {
	const usable = (rule) => !without.includes(rule.name);
	const first = compiled(compiler, path, text).error;
	const applied = [];
	let current = text;
	let error = first;
	for (let round = 0; error && round < MOST_ROUNDS; round += 1) {
		const step = bestOf(compiler, path, current, error, RULES.filter(usable));
		if (!step) break;
		applied.push([step.rule.name, step.rule.says]);
		({ text: current, error } = step);
	}
	if (!error) {
		for (const rule of finishingRules.filter(usable)) {
			const step = tried(compiler, path, current, null, rule);
			if (step && !step.error) {
				applied.push([rule.name, rule.says]);
				current = step.text;
			}
		}
	}
	if (!applied.length || (error && !fewer(compiler, path, text, current))) return { text, applied: [] };
	return { text: current, applied: once(applied) };
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
function bestOf(compiler, path, text, error, rules) {
	let second = null;
	for (const rule of rules.filter((one) => one.codes.includes(error.code))) {
		const step = tried(compiler, path, text, error, rule);
		if (!step) continue;
		if (!step.error) return step;
		if (!second && key(step.error, step.text) !== key(error, text)) second = step;
	}
	return second;
}

function tried(compiler, path, text, error, rule) {
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
