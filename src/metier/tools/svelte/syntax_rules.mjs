// Rules for scripts that are no JavaScript: runes written as keywords, props as blocks, imports with
// dots. They read text, because there is no tree; each keeps to one slip and says what it did.
import { closing, declares, edited, expressionEnd, instance, split, withCode } from './scanning.mjs';

const BROKEN = ['js_parse_error', 'expected_token', 'unexpected_reserved_word'];
const NAME = '[A-Za-z_][\\w$]*';
const TYPE = '(?:\\s*:\\s*[\\w$<>\\[\\]| ]+?)?';

/** `$state x = 0` becomes `let x = $state(0)`, also `$state let x`, `let $state x`, `$derived x`. */
function runeAsKeyword(text) {
	const script = instance(text);
	if (!script) return null;
	const lead = `(?:\\$(state|derived)(?:\\.raw|\\.by)?[.:]?\\s+(?:(?:let|const|var)\\s+)?|(?:let|const|var)\\s+\\$(state|derived)\\s+)`;
	const pattern = new RegExp(`(?<=^|[\\n;{])([ \\t]*)(?:export\\s+)?${lead}\\$?(${NAME})(${TYPE})[\\s\\ufeff]*(=(?![=>])|;|\\n|$)`, 'g');
	return rewritten(text, script, pattern, (match, body, behind) => {
		const rune = match[2] ?? match[3];
		const [, indent, , , name, type] = match;
		if (match[6] !== '=') return { end: behind - (match[6] === '\n' ? 1 : 0), put: `${indent}let ${name}${type} = $${rune}();` };
		const end = expressionEnd(body, behind);
		const value = body.slice(behind, end).trim();
		return { end: end + (body[end] === ';' ? 1 : 0), put: `${indent}let ${name}${type} = ${wrapped(rune, value, name)};` };
	});
}

/** The rune with its argument; a function is handed to `$derived.by`. */
function wrapped(rune, value, name) {
	if (value.startsWith(`$${rune}`)) return value;
	if (rune === 'derived' && isFunction(value)) return `$derived.by(${value})`;
	const own = new RegExp(`^\\$${name.replace(/\$/g, '\\$')}$`).test(value) ? value.slice(1) : value;
	return `$${rune}(${own})`;
}

export function isFunction(value) {
	return /^(async\s+)?(function\b|\([^)]*\)\s*=>|[\w$]+\s*=>)/.test(value);
}

function rewritten(text, script, pattern, make) {
	const body = text.slice(script.start, script.end);
	let made = '';
	let from = 0;
	for (let match = pattern.exec(body); match; match = pattern.exec(body)) {
		const { end, put } = make(match, body, match.index + match[0].length);
		made += body.slice(from, match.index) + put;
		from = end;
		pattern.lastIndex = Math.max(end, match.index + 1);
	}
	if (!from) return null;
	return text.slice(0, script.start) + made + body.slice(from) + text.slice(script.end);
}

/** `$state { count = 0; }` and `$state: { … }` become one `let x = $state(…)` a line. */
function stateBlock(text) {
	const script = instance(text);
	const match = script && /(?<=^|[\n;])([ \t]*)\$state\s*:?\s*\{/.exec(text.slice(script.start, script.end));
	if (!match) return null;
	const open = script.start + match.index + match[0].length - 1;
	const end = closing(text, open);
	const fields = fieldsOf(text.slice(open + 1, end - 1));
	if (!fields) return null;
	const lines = fields.map(({ name, value }) => `${match[1]}let ${name} = $state(${value ?? ''});`);
	return edited(text, [[script.start + match.index, end + Number(text[end] === ';'), lines.join('\n')]]);
}

/** `$props { name: 'World' }`, `$props name = 'World'`, `$props({ name = 'World' })` destructure. */
function propsAsBlock(text) {
	const script = instance(text);
	if (!script) return null;
	const body = text.slice(script.start, script.end);
	const block = /(?<=^|[\n;])([ \t]*)(?:(?:let|const|var)\s+)?\$props\s*(?:<[^>(]*>\s*)?[:=]?\s*\(?\s*\{/.exec(body);
	if (block) {
		const open = script.start + block.index + block[0].length - 1;
		const fields = fieldsOf(text.slice(open + 1, closing(text, open) - 1));
		let end = closing(text, open);
		const rest = /^\s*\)?\s*;?/.exec(text.slice(end));
		end += rest[0].trimEnd().length;
		return fields && edited(text, [[script.start + block.index, end, `${block[1]}let { ${fields.map(withDefault).join(', ')} } = $props();`]]);
	}
	const line = new RegExp(`(?<=^|[\\n;])([ \\t]*)\\$props\\s+(?:(?:let|const)\\s+)?(?=${NAME}\\s*[=,;:\\n])`, 'g');
	const fields = [];
	let indent = '\t';
	const without = rewritten(text, script, line, (match, whole, behind) => {
		const end = expressionEnd(whole, behind);
		indent = match[1];
		fields.push(...(fieldsOf(whole.slice(behind, end)) ?? []));
		return { end: end + Number(whole[end] === ';'), put: '' };
	});
	if (!fields.length) return null;
	const put = `\n${indent}let { ${fields.map(withDefault).join(', ')} } = $props();`;
	return without.slice(0, script.start) + put + without.slice(script.start);
}

function withDefault({ name, value }) {
	return value === undefined ? name : `${name} = ${value}`;
}

/** `name: string = 'World', count = 0; open` as names with values; null if it is something else. */
export function fieldsOf(inside) {
	const fields = [];
	for (const part of split(inside, ',;\n')) {
		const match = new RegExp(`^(${NAME})\\s*(?:\\??:\\s*(string|number|boolean|any|String|Number|Boolean)\\b)?\\s*(?:[:=]\\s*([\\s\\S]+))?$`).exec(part);
		if (!match) return null;
		fields.push({ name: match[1], value: defaultOf(match[3]) });
	}
	return fields.length ? fields : null;
}

/** `{ type: String, default: 'World' }` stands for its default. */
function defaultOf(value) {
	const described = value && /^\{[\s\S]*\bdefault\s*:\s*([\s\S]+)\}$/.exec(value);
	return described ? split(described[1])[0] : value;
}

/** `import { $state, $derived.by } from 'svelte'`: the line goes, runes are there without it. */
function brokenRuneImport(text) {
	const made = text.replace(/^[ \t]*import\s*\{[^}]*\$[^}]*\}\s*from\s*['"][^'"]*['"];?[ \t]*\n?/gm, '')
		.replace(/^[ \t]*\{\s*\$[^}]*\}\s*from\s*['"][^'"]*['"];?[ \t]*\n?/gm, '');
	return made;
}

/** A script with types in it gets `lang="ts"`. */
function typesNeedLang(text) {
	const script = instance(text);
	if (!script || /\blang\s*=/.test(script.attributes)) return null;
	return edited(text, [[script.open, script.open + 7, '<script lang="ts"']]);
}

/** `$: function f() {}` and `$const x` lose what is no JavaScript before them. */
function strayDollar(text) {
	const script = instance(text);
	if (!script) return null;
	const body = text.slice(script.start, script.end);
	const made = body
		.replace(/(?<=^|\n)([ \t]*)\$:\s*(?=(async\s+)?function\b)/g, '$1')
		.replace(/(?<=^|\n)([ \t]*)\$(?=(const|let|function)\s)/g, '$1');
	return text.slice(0, script.start) + made + text.slice(script.end);
}

/** `$effect { … }` and `$effect() { … }` become `$effect(() => { … })`. */
function effectBlock(text) {
	const script = instance(text);
	const match = script && /(?<=^|[\n;])([ \t]*)\$effect\s*(?:\(\s*\))?\s*(?=\{)/.exec(text.slice(script.start, script.end));
	if (!match) return null;
	const start = script.start + match.index;
	const open = start + match[0].length;
	const end = closing(text, open);
	return edited(text, [[start, end, `${match[1]}$effect(() => ${text.slice(open, end)})`]]);
}

/** `$effect x = y` is a `$derived` or a function, `$effect () => {…}` gets its brackets. */
function effectAsKeyword(text) {
	const script = instance(text);
	if (!script) return null;
	const pattern = new RegExp(`(?<=^|[\\n;])([ \\t]*)\\$effect\\s+(?:(${NAME})\\s*=(?![=>])|(?=(?:async\\s*)?\\(?[\\w$, ]*\\)?\\s*=>)|(?=${NAME}\\s*\\())`, 'g');
	return rewritten(text, script, pattern, (match, body, behind) => {
		const [, indent, name] = match;
		if (!name && !body.slice(behind, behind + 200).split('\n')[0].includes('=>')) return { end: behind, put: `${indent}function ` };
		const end = expressionEnd(body, behind);
		const value = body.slice(behind, end).trim();
		const named = isFunction(value) ? `const ${name} = ${value};` : `let ${name} = $derived(${value});`;
		const put = name ? named : `$effect(${value});`;
		return { end: end + Number(body[end] === ';'), put: indent + put };
	});
}

/** A prop and a state of one name: the prop is called otherwise and the state starts with it. */
function propAndState(text, { error }) {
	const name = /^Identifier '(\w+)' has already/.exec(error.message)?.[1] ?? /^`(\w+)` has already/.exec(error.message)?.[1];
	const script = instance(text);
	const props = name && script && /(?:let|const)\s*\{([^}]*)\}\s*(?::\s*[^=]+)?=\s*\$props\(/.exec(text.slice(script.start, script.end));
	if (!props) return null;
	const body = text.slice(script.start, script.end);
	const initial = `initial${name[0].toUpperCase()}${name.slice(1)}`;
	const pattern = props[0].replace(new RegExp(`(?<=[{,\\s])${name}(?=\\s*[=,}\\s])`), `${name}: ${initial}`);
	const state = new RegExp(`((?:let|const)\\s+${name}\\s*(?::\\s*\\w+\\s*)?=\\s*)(?:\\$state\\(\\s*(?:\\$?${name}|\\$?props\\.${name})?(\\s*(?:\\?\\?|\\|\\|)[^)]*)?\\)|(?:\\$?${name}|\\$?props\\.${name})(?![\\w.(]))`);
	if (pattern === props[0] || !state.test(body)) return null;
	const made = body.replace(props[0], pattern).replace(state, (_whole, lead, rest) => `${lead.replace('const', 'let')}$state(${initial}${rest ?? ''})`);
	return text.slice(0, script.start) + made + text.slice(script.end);
}

/** A script that is never closed is closed before the first line of markup. */
function unclosedScript(text) {
	const open = /<script\b[^>]*>/i.exec(text);
	if (!open || /<\/script/i.test(text.slice(open.index))) return null;
	const from = open.index + open[0].length;
	const markup = /\n[ \t]*(?=<[a-z][\w:-]*[\s>/])/i.exec(text.slice(from));
	if (!markup) return null;
	const at = from + markup.index + 1;
	return `${text.slice(0, at)}</script>\n\n${text.slice(at)}`;
}

/** A script whose opening tag is lost (`>` or nothing before the code) gets it back. */
function unopenedScript(text) {
	const close = /<\/script\s*>/i.exec(text);
	if (!close || /<script\b/i.test(text.slice(0, close.index))) return null;
	const options = /<svelte:options\b[^>]*?(\/>|>\s*<\/svelte:options\s*>)/.exec(text);
	const at = options && options.index < close.index ? options.index + options[0].length : 0;
	const body = text.slice(at, close.index).replace(/^\s*>?\s*\n/, '\n');
	return `${text.slice(0, at)}\n<script>${body}${text.slice(close.index)}`;
}

/** `{#state x = 5}` and `{#let x = $state(5)}` in the markup move into the script. */
function declarationInMarkup(text) {
	const match = /\{#(state|let|const|derived)\s+(?:(?:let|const)\s+)?/.exec(text);
	if (!match) return null;
	const end = closing(text, match.index);
	const inside = text.slice(match.index + match[0].length, end - 1).trim();
	const parts = new RegExp(`^(${NAME})${TYPE}\\s*=\\s*([\\s\\S]+)$`).exec(inside);
	if (!parts) return null;
	const [, name, value] = parts;
	const rune = { state: 'state', derived: 'derived' }[match[1]];
	const without = text.slice(0, match.index) + text.slice(end).replace(new RegExp(`\\{/${match[1]}\\}`), '');
	const code = `let ${name} = ${rune ? wrapped(rune, value, name) : value};`;
	return declares(without, name) ? null : withCode(without, code);
}

/** A brace block of code in the markup (`{ let x = $state(5) … }`) moves into the script. */
function codeInMarkup(text, { error }) {
	const open = text.lastIndexOf('{', error.position?.[0] ?? 0);
	if (open < 0 || !/^\{\s*(let|const|function)\s/.test(text.slice(open))) return null;
	const script = instance(text);
	if (script && open >= script.open && open < script.close) return null;
	const end = closing(text, open);
	return withCode(text.slice(0, open) + text.slice(end), text.slice(open + 1, end - 1).trim());
}

const rule = (name, says, mend, codes = BROKEN) => ({ name, says, mend, codes });

export const syntaxRules = [
	rule('rune-import-broken', 'Took out an import of runes, which need none.', brokenRuneImport),
	rule('types-need-lang', 'Added lang="ts" to a script that has types in it.', typesNeedLang),
	rule('rune-as-keyword', 'Wrote runes as calls: let x = $state(…).', runeAsKeyword),
	rule('state-block', 'Wrote a block of state as one $state a name.', stateBlock),
	rule('props-as-block', 'Destructured $props() with the defaults.', propsAsBlock, [...BROKEN, 'props_invalid_placement', 'rune_missing_parentheses']),
	rule('prop-and-state', 'Gave a prop another name than the state that starts with it.', propAndState, ['declaration_duplicate', ...BROKEN]),
	rule('effect-as-keyword', 'Wrote $effect as a call.', effectAsKeyword),
	rule('effect-block', 'Gave $effect a function.', effectBlock, [...BROKEN, 'rune_missing_parentheses']),
	rule('stray-dollar', 'Took out a $ before a declaration.', strayDollar),
	rule('declaration-in-markup', 'Moved a declaration from the markup into the script.', declarationInMarkup, ['expected_block_type', 'expected_tag', ...BROKEN]),
	rule('code-in-markup', 'Moved code from the markup into the script.', codeInMarkup),
	rule('script-not-closed', 'Closed the script before the markup.', unclosedScript, ['element_unclosed', ...BROKEN]),
	rule('script-not-opened', 'Opened the script that was only closed.', unopenedScript, ['element_invalid_closing_tag', ...BROKEN]),
];
