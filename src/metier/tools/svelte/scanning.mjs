// Reading source text that may not parse: strings, brackets, ends of expressions, scripts, edits.
// It knows no rune and no rule.

const OPENING = { '(': ')', '[': ']', '{': '}' };

/** The offset behind the string, template or comment at `at`, or `at` itself. */
export function skipped(text, at) {
	const character = text[at];
	if (character === '/' && text[at + 1] === '/') return until(text, '\n', at + 2, 0);
	if (character === '/' && text[at + 1] === '*') return until(text, '*/', at + 2, 2);
	if (character === '"' || character === "'") return quoted(text, at);
	if (character === '`') return template(text, at);
	return at;
}

function until(text, end, from, extra) {
	const at = text.indexOf(end, from);
	return at < 0 ? text.length : at + extra;
}

function quoted(text, at) {
	for (let next = at + 1; next < text.length && text[next] !== '\n'; next += 1) {
		if (text[next] === '\\') next += 1;
		else if (text[next] === text[at]) return next + 1;
	}
	// An apostrophe in prose or markup closes nothing.
	return at + 1;
}

function template(text, at) {
	for (let next = at + 1; next < text.length; next += 1) {
		if (text[next] === '\\') next += 1;
		else if (text[next] === '`') return next + 1;
		else if (text[next] === '$' && text[next + 1] === '{') next = closing(text, next + 1) - 1;
	}
	return text.length;
}

/** The offset behind the bracket that closes the one at `open`; the text's length if none does. */
export function closing(text, open) {
	const waiting = [];
	for (let at = open; at < text.length; at += 1) {
		const behind = skipped(text, at);
		if (behind > at + 1) {
			at = behind - 1;
			continue;
		}
		if (OPENING[text[at]]) waiting.push(OPENING[text[at]]);
		else if (text[at] === waiting.at(-1)) {
			waiting.pop();
			if (!waiting.length) return at + 1;
		}
	}
	return text.length;
}

/** The offset where the expression that starts at `from` ends: `;`, a bracket, a finished line. */
export function expressionEnd(text, from, limit = text.length) {
	let last = from;
	for (let at = from; at < limit; at += 1) {
		const behind = skipped(text, at);
		if (behind > at + 1) {
			if (text[at] !== '/') last = behind;
			at = behind - 1;
			continue;
		}
		const character = text[at];
		if (OPENING[character]) {
			at = closing(text, at) - 1;
			last = at + 1;
		} else if (character === ';' || ')]}'.includes(character)) return last;
		else if (character === '\n' && last > from && !continues(text, last, at)) return last;
		else if (!/\s/.test(character)) last = at + 1;
	}
	return last;
}

/** Whether the line break at `at` stands inside an expression. */
function continues(text, last, at) {
	if (/[-+*/%&|^=<>?:,.(!]$/.test(text.slice(Math.max(0, last - 2), last).trimEnd())) return true;
	return /^\s*(\?\.|[.?:,]|\+(?!\+)|-(?!-)|\*|&&|\|\||=>|===|!==|==)/.test(text.slice(at));
}

/** Splits at a separator that stands outside of strings and brackets. */
export function split(text, separators = ',') {
	const parts = [];
	let from = 0;
	for (let at = 0; at < text.length; at += 1) {
		const behind = skipped(text, at);
		if (behind > at + 1) at = behind - 1;
		else if (OPENING[text[at]]) at = closing(text, at) - 1;
		else if (separators.includes(text[at])) {
			parts.push(text.slice(from, at));
			from = at + 1;
		}
	}
	parts.push(text.slice(from));
	return parts.map((part) => part.trim()).filter(Boolean);
}

/** The scripts: offsets of the tag and of what is in it, and the tag's attributes. */
export function scripts(text) {
	const found = [];
	for (const match of text.matchAll(/(<script\b([^>]*)>)([\s\S]*?)<\/script\s*>/gi)) {
		const start = match.index + match[1].length;
		found.push({
			open: match.index,
			start,
			end: start + match[3].length,
			close: match.index + match[0].length,
			attributes: match[2],
			module: /\bmodule\b/.test(match[2]),
		});
	}
	return found;
}

/** The instance script, or undefined. */
export function instance(text) {
	return scripts(text).find((script) => !script.module);
}

/** The text with `code` added as lines at the end of the instance script, which is made if need be. */
export function withCode(text, code) {
	const script = instance(text);
	if (script) {
		const body = text.slice(script.start, script.end).trimEnd();
		return `${text.slice(0, script.start)}${body}\n\t${code}\n${text.slice(script.end)}`;
	}
	const options = /<svelte:options\b[^>]*?(\/>|>\s*<\/svelte:options\s*>)/.exec(text);
	const at = options ? options.index + options[0].length : 0;
	return `${text.slice(0, at)}\n<script>\n\t${code}\n</script>\n${text.slice(at)}`;
}

/** Replaces ranges; `edits`: [start, end, text], not overlapping. */
export function edited(text, edits) {
	return [...edits]
		.sort((one, other) => other[0] - one[0])
		.reduce((now, [start, end, put]) => now.slice(0, start) + put + now.slice(end), text);
}

/** Whether `name` is declared by let, const, var, function, class or import in `code`. */
export function declares(code, name) {
	const plain = name.replace(/\$/g, '\\$');
	return new RegExp(
		`(\\b(let|const|var|function|class)\\s+${plain}(?![\\w$]))|` +
			`(\\b(let|const|var|import)\\s*\\{[^}]*(?<![\\w$])${plain}(?![\\w$:])[^}]*\\})|` +
			`(\\bimport\\s+${plain}(?![\\w$]))`,
	).test(code);
}
