// Attributes that are written as in HTML and not as in React, found in the syntax tree. It knows
// names; it changes nothing.

export const RENAMED = {
	class: 'className',
	for: 'htmlFor',
	tabindex: 'tabIndex',
	readonly: 'readOnly',
	maxlength: 'maxLength',
	minlength: 'minLength',
	colspan: 'colSpan',
	rowspan: 'rowSpan',
	autocomplete: 'autoComplete',
	autofocus: 'autoFocus',
	contenteditable: 'contentEditable',
	crossorigin: 'crossOrigin',
	enctype: 'encType',
	novalidate: 'noValidate',
	srcset: 'srcSet',
	viewbox: 'viewBox',
	'stroke-width': 'strokeWidth',
	'stroke-linecap': 'strokeLinecap',
	'stroke-linejoin': 'strokeLinejoin',
	'stroke-dasharray': 'strokeDasharray',
	'stroke-dashoffset': 'strokeDashoffset',
	'fill-rule': 'fillRule',
	'fill-opacity': 'fillOpacity',
	'clip-path': 'clipPath',
	'clip-rule': 'clipRule',
	'text-anchor': 'textAnchor',
	'font-size': 'fontSize',
};
const EVENTS = new Set(
	(
		'Click DoubleClick Change Input Submit Reset Focus Blur KeyDown KeyUp KeyPress MouseDown ' +
		'MouseUp MouseEnter MouseLeave MouseMove MouseOver MouseOut PointerDown PointerUp PointerMove ' +
		'Scroll Wheel Drag DragStart DragEnd DragOver DragEnter DragLeave Drop Copy Paste Cut Load ' +
		'Error Select Invalid ContextMenu TouchStart TouchEnd TouchMove'
	).split(' '),
);
const BY_LOWER = new Map([...EVENTS].map((name) => [`on${name.toLowerCase()}`, `on${name}`]));
BY_LOWER.set('ondblclick', 'onDoubleClick');

// React's name of an attribute that is written as in HTML, or undefined.
export function reactName(name) {
	return Object.hasOwn(RENAMED, name) ? RENAMED[name] : BY_LOWER.get(name);
}

// Every attribute of an HTML or SVG element in a file: visit(attribute, name, source).
export function eachAttribute(ts, file, visit) {
	const source = ts.createSourceFile(file.path, file.text, 99, true, kindOf(ts, file.path));
	const walk = (node) => {
		if (ts.isJsxOpeningElement(node) || ts.isJsxSelfClosingElement(node)) {
			const tag = node.tagName.getText(source);
			if (/^[a-z][a-z0-9]*$/.test(tag)) {
				for (const one of node.attributes.properties) {
					if (ts.isJsxAttribute(one)) visit(one, one.name.getText(source), source);
				}
			}
		}
		ts.forEachChild(node, walk);
	};
	walk(source);
	return source;
}

export function kindOf(ts, path) {
	if (/\.[cm]?ts$/.test(path)) return ts.ScriptKind.TS;
	return path.endsWith('.tsx') ? ts.ScriptKind.TSX : ts.ScriptKind.JSX;
}

export function attributes(ts, file) {
	const found = [];
	eachAttribute(ts, file, (node, name, source) => {
		const right = reactName(name);
		const text = name === 'style' && node.initializer && ts.isStringLiteral(node.initializer);
		if (!right && !text) return;
		const from = source.getLineAndCharacterOfPosition(node.getStart(source));
		const to = source.getLineAndCharacterOfPosition(node.name.getEnd());
		// React sets class and for although it warns; a handler or a style in text never works.
		const harmless = right && !right.startsWith('on');
		found.push({
			code: text ? 'style_in_text' : 'html_attribute',
			message: text
				? 'The style attribute takes an object, not text.'
				: `'${name}' is written '${right}' in React.`,
			severity: harmless ? 'warning' : 'error',
			path: file.path,
			line: from.line + 1,
			column: from.character + 1,
			end_line: to.line + 1,
			end_column: to.character + 1,
		});
	});
	return found;
}
