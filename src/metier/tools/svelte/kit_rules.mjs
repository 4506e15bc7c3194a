// What SvelteKit itself refuses and no type says: names that a route file may not export, actions that
// exclude each other, private modules in the browser, cookies without a path.
// Every rule reads a syntax tree of TypeScript and gives places with a code and a sentence.

const LAYOUT = ['load', 'prerender', 'csr', 'ssr', 'trailingSlash', 'config'];
const ENDPOINT = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'];
const EXPORTS = {
	'+page': [...LAYOUT, 'entries'],
	'+page.server': [...LAYOUT, 'actions', 'entries'],
	'+layout': LAYOUT,
	'+layout.server': LAYOUT,
	'+server': [...ENDPOINT, 'fallback', 'prerender', 'trailingSlash', 'config', 'entries'],
};
const RESERVED = /^\+(page|layout|error)(@[^.]*)?\.svelte$|^\+(page|layout)(@[^.]*)?(\.server)?\.(js|ts)$|^\+server\.(js|ts)$/;

/** Problems of one file; `text` is the script of a component, blank elsewhere. */
export function kitProblems(ts, path, text, kind) {
	const name = path.slice(path.lastIndexOf('/') + 1);
	if (name.startsWith('+') && !RESERVED.test(name)) {
		return [{ at: 0, end: 0, code: 'kit_reserved_name', message: `Files that start with + are SvelteKit's own, and ${name} is none of them.` }];
	}
	const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind);
	const problems = [];
	const tell = (node, code, message) => problems.push({ at: node.getStart(file), end: node.getEnd(), code, message });
	const stem = name.replace(/@[^.]*/, '').replace(/\.(js|ts)$/, '');
	if (EXPORTS[stem]) exported(ts, file, name, EXPORTS[stem], tell);
	if (name.endsWith('.svelte')) inComponent(ts, file, name, tell);
	if (!/\.server\.(js|ts)$|^\+server\.|\/server\//.test(path.slice(path.lastIndexOf('src/')))) privately(ts, file, path, tell);
	cookies(ts, file, tell);
	return problems;
}

function exported(ts, file, name, allowed, tell) {
	const say = (node, key) => {
		if (allowed.includes(key) || key.startsWith('_')) return;
		const upper = allowed.includes(key.toUpperCase()) ? ` Write ${key.toUpperCase()}.` : '';
		tell(node, 'kit_invalid_export', `'${key}' cannot be exported from ${name}; it may export ${allowed.join(', ')}, or names with a leading _.${upper}`);
	};
	for (const statement of file.statements) {
		if (ts.isExportAssignment(statement)) say(statement, 'default');
		if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause) && !statement.isTypeOnly) {
			for (const one of statement.exportClause.elements) if (!one.isTypeOnly) say(one, one.name.text);
		}
		if (!statement.modifiers?.some((one) => one.kind === ts.SyntaxKind.ExportKeyword)) continue;
		if (statement.modifiers.some((one) => one.kind === ts.SyntaxKind.DefaultKeyword)) say(statement, 'default');
		else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) say(statement.name ?? statement, statement.name?.text ?? 'default');
		else if (ts.isVariableStatement(statement)) {
			for (const one of statement.declarationList.declarations) {
				if (!ts.isIdentifier(one.name)) continue;
				say(one.name, one.name.text);
				if (one.name.text === 'actions') actions(ts, one, tell);
			}
		}
	}
}

function actions(ts, declaration, tell) {
	let value = declaration.initializer;
	while (value && (ts.isSatisfiesExpression(value) || ts.isAsExpression(value))) value = value.expression;
	if (!value || !ts.isObjectLiteralExpression(value)) return;
	const named = value.properties.filter((one) => one.name?.text && one.name.text !== 'default');
	const unnamed = value.properties.find((one) => one.name?.text === 'default');
	if (named.length && unnamed) tell(unnamed.name, 'kit_default_action', 'A default action cannot stand beside named ones: once a form has posted to a named action, its address would call that one again.');
}

function inComponent(ts, file, name, tell) {
	for (const statement of file.statements) {
		const isExport = statement.modifiers?.some((one) => one.kind === ts.SyntaxKind.ExportKeyword);
		const names = ts.isVariableStatement(statement) ? statement.declarationList.declarations.map((one) => one.name) : [statement.name];
		for (const one of names) {
			if (isExport && ['load', 'actions'].includes(one?.text) && name.startsWith('+')) {
				const place = one.text === 'load' ? '+page.js or +page.server.js' : '+page.server.js';
				tell(one, 'kit_load_in_component', `'${one.text}' does nothing in ${name}; it belongs in ${place} beside it.`);
			}
		}
	}
}

/** Modules that may hold secrets, imported where the browser would get them. */
function privately(ts, file, path, tell) {
	if (!/\.svelte$|\/\+(page|layout)\.(js|ts)$|\/hooks\.client\.(js|ts)$/.test(path)) return;
	for (const statement of file.statements) {
		if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly) continue;
		const from = statement.moduleSpecifier.text;
		if (/^\$env\/(static|dynamic)\/private$|^\$lib\/server(\/|$)|^\$app\/server$|\.server(\.(js|ts))?$/.test(from)) {
			tell(statement.moduleSpecifier, 'kit_private_import', `${from} is for the server alone; code that runs in the browser cannot import it.`);
		}
	}
}

/** `cookies.set(name, value)` without a path, which SvelteKit 2 demands. */
function cookies(ts, file, tell) {
	const visit = (node) => {
		if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
			const { expression, name } = node.expression;
			const place = { set: 2, delete: 1, serialize: 2 }[name.text];
			if (place && /(^|\.)cookies$/.test(expression.getText(file))) {
				const given = node.arguments[place];
				const has = given && (!ts.isObjectLiteralExpression(given) || given.properties.some((one) => ts.isSpreadAssignment(one) || one.name?.text === 'path'));
				if (!has) tell(node, 'kit_cookie_path', `cookies.${name.text} needs { path: '/' }, or the path that the cookie is for.`);
			}
		}
		ts.forEachChild(node, visit);
	};
	visit(file);
}
