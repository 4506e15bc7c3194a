// A style attribute's text as the object that React takes. It knows the syntax of declarations and
// gives up on what it does not understand.

export function asObject(text) {
	const pairs = [];
	for (const part of text.split(/;(?![^(]*\))/)) {
		if (!part.trim()) continue;
		const at = part.indexOf(':');
		const name = part.slice(0, at).trim();
		const value = part.slice(at + 1).trim();
		if (at < 1 || !value || !/^-{0,2}[a-zA-Z][\w-]*$/.test(name) || /['\\\n]/.test(value)) return null;
		pairs.push(`${keyOf(name)}: '${value}'`);
	}
	return pairs.length ? `{{ ${pairs.join(', ')} }}` : null;
}

function keyOf(name) {
	if (name.startsWith('--')) return `'${name}'`;
	const whole = name.replace(/^-ms-/, 'ms-').replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
	return whole;
}
