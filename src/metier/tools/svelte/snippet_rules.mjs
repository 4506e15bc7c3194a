// Rules for snippets written as functions, as JSX, with the wrong sign, or in the script.
import { closing, edited, expressionEnd, instance, scripts } from './scanning.mjs';

const NAME = '[A-Za-z_][\\w]*';
const LEAD = [
	`(?:export\\s+)?(?:\\$:\\s*)?[$@#:]?(?:const\\s+|function\\s+)?snippet\\s+(?:const\\s+)?["']?(${NAME})["']?`,
	`(?:export\\s+)?(?:const|let|var|function)\\s+(${NAME})`,
	`(?:\\$:\\s*)?\\$?(${NAME})`,
].join('|');
const START = new RegExp(`(?<=^|[\\n;])[ \\t]*(?:${LEAD})`, 'g');

/** Markup that is written as a function in the script moves into the markup as a snippet. */
function snippetInScript(text) {
	const script = instance(text);
	if (!script) return null;
	const body = text.slice(script.start, script.end);
	for (const match of body.matchAll(START)) {
		const name = match[1] ?? match[2] ?? match[3];
		const found = functionOf(body, match.index + match[0].length);
		const inside = found && markupOf(found.body);
		if (!inside) continue;
		const rest = text.slice(0, script.start) + body.slice(0, match.index) + body.slice(found.end) + text.slice(script.end);
		return rendered(`${rest.trimEnd()}\n\n${snippet(name, found.parameters, inside)}\n`, name);
	}
	return null;
}

/** A function that is called a snippet and stands in the markup becomes one where it is. */
function snippetInMarkup(text) {
	const pattern = new RegExp(`(?<=^|\\n)[ \\t]*[$@#:]?snippet\\s+(${NAME})`, 'g');
	const inside = scripts(text);
	for (const match of text.matchAll(pattern)) {
		if (inside.some((script) => match.index > script.open && match.index < script.close)) continue;
		const found = functionOf(text, match.index + match[0].length);
		const markup = found && markupOf(found.body);
		if (markup) return edited(text, [[match.index, found.end, snippet(match[1], found.parameters, markup)]]);
	}
	return null;
}

function snippet(name, parameters, inside) {
	return `{#snippet ${name}(${parameters})}\n\t${inside.trim()}\n{/snippet}`;
}

/** Parameters and body of what follows a name: `(a) {…}`, `= (a) => …`, `: (a) => …`, `{…}`. */
function functionOf(body, from) {
	const head = /^\s*(?:[=:,]\s*)?(?:\$?(?:create)?snippet\s*)?(\(\s*(?=\(|function))?(?:function\s*)?/i.exec(body.slice(from));
	let at = from + head[0].length;
	let parameters = '';
	if (body[at] === '(') {
		const end = closing(body, at);
		parameters = body.slice(at + 1, end - 1).trim();
		at = end;
	} else {
		const bare = /^(\w+)\s*(?==>)/.exec(body.slice(at));
		if (bare) [parameters, at] = [bare[1], at + bare[0].length];
	}
	const arrow = /^\s*(?::\s*[\w<>[\]]+\s*)?(=>)?\s*/.exec(body.slice(at));
	at += arrow[0].length;
	if (!arrow[1] && body[at] !== '{') return null;
	const end = body[at] === '{' || body[at] === '(' ? closing(body, at) : lineEnd(body, at);
	const behind = /^\s*\)?\s*;?/.exec(body.slice(end));
	return {
		parameters: parameters.replace(/(?<![\w$])\$(?=\w)/g, '').replace(/^param\s+/, ''),
		body: body.slice(at, end),
		end: end + (head[1] || /^\s*;/.test(behind[0]) ? behind[0].length : 0),
	};
}

function lineEnd(body, at) {
	if (body[at] === '<') {
		const close = /;?[ \t]*(?=\n|$)/.exec(body.slice(at));
		return at + close.index;
	}
	return expressionEnd(body, at);
}

/** The markup that a function body stands for, or null if it is anything but markup. */
export function markupOf(body) {
	let inside = body.trim();
	for (let round = 0; round < 5; round += 1) {
		const before = inside;
		if (/^\{[\s\S]*\}$/.test(inside) && !/^\{[#@:/]/.test(inside)) inside = inside.slice(1, -1).trim();
		inside = inside.replace(/^return\b\s*/, '').replace(/;\s*$/, '').trim();
		if (/^\([\s\S]*\)$/.test(inside)) inside = inside.slice(1, -1).trim();
		inside = inside.replace(/^\/\*[^*]*\*\/\s*/, '').replace(/^(?:html|svelte)(?=`)/, '');
		if (/^`[^`]*`$/.test(inside)) inside = inside.slice(1, -1).trim();
		inside = inside.replace(/^<>\s*([\s\S]*?)\s*<\/>$/, '$1');
		if (inside === before) break;
	}
	inside = inside.replace(/\$\{/g, '{').replace(/\bclassName=/g, 'class=');
	return /^<[A-Za-z][\s\S]*>$/.test(inside) && !/<script\b/i.test(inside) ? inside : null;
}

/** `{title(x)}`, `{@html title(x)}` and `{$title(x)}` render the snippet of that name. */
function rendered(text, name) {
	const inside = scripts(text);
	const edits = [];
	for (const match of text.matchAll(new RegExp(`\\{\\s*(?:@html\\s+)?\\$?(?=${name}\\()`, 'g'))) {
		const end = closing(text, match.index);
		const call = text.slice(match.index + match[0].length, end - 1).trim();
		const whole = closing(call, name.length) === call.length;
		if (whole && !inside.some((script) => match.index > script.open && match.index < script.close)) {
			edits.push([match.index, match.index + match[0].length, '{@render ']);
		}
	}
	return edited(text, edits);
}

/** A `{#snippet}` block in the script moves into the markup; `{@snippet` and `#snippet` count too. */
function snippetBlockInScript(text) {
	const script = instance(text);
	const pattern = /[ \t]*\{?[#@:]snippet\s+(\w+)\s*\(?([^){}\n]*)\)?\s*\}?([\s\S]*?)\{?[/@](?:end)?snippet(?:\s+\w+)?\}?[ \t]*\n?/;
	const match = script && pattern.exec(text.slice(script.start, script.end));
	if (!match) return null;
	const [whole, name, parameters, inside] = match;
	const at = script.start + match.index;
	const rest = text.slice(0, at) + text.slice(at + whole.length);
	return `${rest.trimEnd()}\n\n${snippet(name, parameters.trim(), inside)}\n`;
}

/** `{@snippet title(x)}` and `{#snippet title x}` in the markup get the right sign and brackets. */
function snippetSign(text) {
	return text
		.replace(/\{[@:]snippet(?=\s+\w+\s*[({])/g, '{#snippet')
		.replace(/\{[#@:]snippet\s+["']?(\w+)["']?\s+(\w+)\s*\}/g, '{#snippet $1($2)}')
		.replace(/\{#snippet\s+["']?(\w+)["']?\s*\}/g, '{#snippet $1()}')
		.replace(/\{(?:@end|:end|@\/|\/#)snippet[^}]*\}|\{\/snippet\s+\w+\s*\}/g, '{/snippet}');
}

/** A snippet that is closed by its name is closed as a snippet. */
function snippetClosing(text) {
	const names = [...text.matchAll(/\{#snippet\s+(\w+)/g)].map((match) => match[1]);
	return names.reduce((now, name) => now.replaceAll(`{/${name}}`, '{/snippet}'), text);
}

/** `<svelte:snippet name="title" let:book>` and `<snippet …>` become `{#snippet title(book)}`. */
function snippetElement(text) {
	const pattern = /<(svelte:snippet|snippet|template)\b([^>]*)>([\s\S]*?)<\/\1\s*>/g;
	return text.replace(pattern, (whole, _tag, attributes, inside) => {
		const name = /\b(?:name|slot|id)=["'{]?(\w+)/.exec(attributes)?.[1];
		const given = [...attributes.matchAll(/\blet:(\w+)(?:=\{(\w+)\})?/g)].map((one) => one[2] ?? one[1]);
		return name ? snippet(name, given.join(', '), inside) : whole;
	});
}

/** `{@render title}` gets the brackets of a call, with the each block's item if there is one. */
function renderWithoutCall(text) {
	let changed = text;
	const pattern = /\{@render\s+([A-Za-z_]\w*)\s*(?:\(\s*\)|,?\s*(\w+))?\s*\}/g;
	for (const match of [...text.matchAll(pattern)].reverse()) {
		const [whole, name, argument] = match;
		const declared = new RegExp(`\\{#snippet\\s+${name}\\s*\\(([^)]*)\\)`).exec(text);
		const wants = declared ? declared[1].trim() !== '' : false;
		const item = argument ?? (wants ? itemAt(text, match.index) : '');
		if (item === null || /\(\s*\)/.test(whole)) continue;
		changed = changed.slice(0, match.index) + `{@render ${name}(${item})}` + changed.slice(match.index + whole.length);
	}
	return changed;
}

/** The item of the each block around an offset, or null. */
function itemAt(text, offset) {
	const opened = [];
	for (const match of text.slice(0, offset).matchAll(/\{#each\s[^}]*\sas\s+(\w+)[^}]*\}|\{\/each\}/g)) {
		if (match[1]) opened.push(match[1]);
		else opened.pop();
	}
	return opened.at(-1) ?? null;
}

/** `{@each books as book}`, `{$each book of books}`, `{#else}`, `{@if x}`: blocks with the wrong sign. */
function blockSign(text) {
	const ends = (kind) => [`{/${kind}}`, `{@end}`, `{/end}`, `{@/${kind}}`, `{@end${kind}}`, `{$/${kind}}`, `{:end}`, `{#end}`];
	let made = text
		.replace(/\{[@$:]each\s+(?:(?:const|let)\s+)?(\w+)\s+(?:of|in)\s+([^}]+?)\s*\}/g, '{#each $2 as $1}')
		.replace(/\{#each\s+(?:(?:const|let)\s+)?(\w+)\s+(?:of|in)\s+([^}]+?)\s*\}/g, '{#each $2 as $1}')
		.replace(/\{[@$:](each|if|await|key)(?=\s)/g, '{#$1')
		.replace(/\{[#@$/]else(\s+if\b[^}]*)?\}/g, '{:else$1}');
	const opened = /\{@render\s+([\w.]+)\s+as\s+(\w+)\s*\}([\s\S]*?)\{\/render\}/g;
	made = made.replace(opened, '{#each $1 as $2}$3{/each}');
	for (const kind of ['each', 'if']) {
		const opens = made.split(`{#${kind}`).length - made.split(`{/${kind}}`).length;
		const end = opens > 0 && ends(kind).find((one) => one !== `{/${kind}}` && made.includes(one));
		if (end) made = made.replaceAll(end, `{/${kind}}`);
	}
	return made;
}

/** `{@render title(book) for book in books}` becomes an each block. */
function renderInLoop(text) {
	const pattern = /\{@render\s+(\w+)\s*(?:\(([^)]*)\))?\s+(?:for|in)\s+(?:(?:const|let)\s+)?\{?(\w+)\}?\s+(?:in|of)\s+([\w.[\]]+)\s*\}/g;
	return text.replace(pattern, (_whole, name, given, item, list) => {
		return `{#each ${list} as ${item}}{@render ${name}(${given || item})}{/each}`;
	});
}

const rule = (name, says, mend, codes) => ({ name, says, mend, codes });
const BROKEN = ['js_parse_error', 'expected_token'];

export const snippetRules = [
	rule('snippet-block-in-script', 'Moved a snippet from the script into the markup.', snippetBlockInScript, BROKEN),
	rule('snippet-in-script', 'Wrote markup that stood in a function as a snippet.', snippetInScript, ['global_reference_invalid', ...BROKEN]),
	rule('snippet-in-markup', 'Wrote a function in the markup as a snippet.', snippetInMarkup, BROKEN),
	rule('block-sign', 'Opened and closed blocks with the right sign.', blockSign, ['expected_tag', 'expected_block_type', 'block_unexpected_close', 'render_tag_invalid_expression', 'block_unclosed', 'element_invalid_closing_tag', ...BROKEN]),
	rule('snippet-sign', 'Opened a snippet with {#snippet name(…)}.', snippetSign, ['expected_tag', 'block_unexpected_close', 'expected_block_type', 'unexpected_eof', ...BROKEN]),
	rule('snippet-closing', 'Closed a snippet with {/snippet}.', snippetClosing, ['expected_token', 'block_unexpected_close', 'expected_block_type']),
	rule('snippet-element', 'Wrote a snippet element as {#snippet}.', snippetElement, ['svelte_meta_invalid_tag', 'render_tag_invalid_expression', ...BROKEN]),
	rule('render-in-loop', 'Wrote a loop over {@render} as an each block.', renderInLoop, ['render_tag_invalid_expression', ...BROKEN]),
	rule('render-without-call', 'Called the snippet that is rendered.', renderWithoutCall, ['render_tag_invalid_expression', ...BROKEN]),
];
