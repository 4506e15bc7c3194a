// The module ./$types of every route of a project, as SvelteKit generates it: params from the names of
// folders, data from what the load functions of the page and of its layouts return.
// A load function that is annotated with the type that is derived from it would be a circle; such
// files are read through a copy without the annotation (`withoutCircle`).

const EXTENSION = /\.(js|ts)$/;

export const SHARED = `
import type * as Kit from '@sveltejs/kit';
export type Expand<T> = T extends infer O ? { [K in keyof O]: O[K] } : never;
export type Defined<T> = T extends null | undefined ? {} : T;
export type RequiredKeys<T> = { [K in keyof T]-?: {} extends { [P in K]: T[K] } ? never : K }[keyof T];
export type OrVoid<T> = {} extends T ? T | void : T;
export type Shape<T> = OrVoid<Omit<App.PageData, RequiredKeys<T>> & Partial<Pick<App.PageData, keyof T & keyof App.PageData>> & Record<string, any>>;
export type Any<U extends Record<string, any>, A extends keyof U = U extends U ? keyof U : never> = U extends unknown ? { [P in Exclude<A, keyof U>]?: never } & U : never;
export type Loaded<T extends (...given: any) => any> = Expand<Any<Defined<Kit.LoadProperties<Awaited<ReturnType<T>>>>>>;
type Good<T> = T extends Kit.ActionFailure<any> ? never : T;
type Bad<T> = T extends Kit.ActionFailure<infer X> ? (X extends void ? never : X) : never;
type Handlers = Record<string, (...given: any) => any>;
export type Success<T extends Handlers> = { [K in keyof T]: Good<Awaited<ReturnType<T[K]>>> }[keyof T];
export type Failure<T extends Handlers> = { [K in keyof T]: Exclude<Bad<Awaited<ReturnType<T[K]>>>, void> }[keyof T];
`;

/** Path of each \`$types.d.ts\` to its text; `paths`: all files of the project, relative to its root. */
export function typesOf(paths, read) {
	const made = new Map([['src/metier-kit.d.ts', SHARED]]);
	const folders = new Set(paths.filter((path) => /(^|\/)\+[^/]+$/.test(path)).map(folderOf));
	for (const folder of [...folders]) {
		for (const above of abovesOf(folder)) if (above.startsWith('src/routes')) folders.add(above);
	}
	for (const folder of folders) made.set(`${folder}/$types.d.ts`, moduleOf(folder, new Set(paths), read));
	return made;
}

const folderOf = (path) => path.slice(0, path.lastIndexOf('/'));

function abovesOf(folder) {
	const found = [];
	for (let at = folder; at.includes('/'); at = folderOf(at)) found.push(at);
	return found;
}

function moduleOf(folder, paths, read) {
	const depth = folder.split('/').length - 1;
	const route = folder.replace(/^src\/routes/, '') || '/';
	const lines = [
		"import type * as Kit from '@sveltejs/kit';",
		`import type { Expand, Defined, Shape, Loaded, Success, Failure } from '${'../'.repeat(depth)}metier-kit.js';`,
		`type RouteParams = ${paramsOf(route)};`,
		`type RouteId = ${JSON.stringify(route)};`,
		'export type EntryGenerator = () => Promise<Array<RouteParams>> | Array<RouteParams>;',
		'export type Snapshot<T = any> = Kit.Snapshot<T>;',
		'export type RequestHandler = Kit.RequestHandler<RouteParams, any>;',
		'export type RequestEvent = Kit.RequestEvent<RouteParams, any>;',
		...nodeOf('Layout', folder, paths, read),
		...nodeOf('Page', folder, paths, read),
		...actionsOf(folder, paths, read),
		'export type PageProps = { params: RouteParams; data: PageData; form: ActionData };',
		'export type LayoutProps = { params: RouteParams; data: LayoutData; children: import("svelte").Snippet };',
	];
	return lines.join('\n');
}

/** `/blog/[slug]/[[page=integer]]` → `{ slug: string; page?: string }`. */
export function paramsOf(route) {
	const found = [...route.matchAll(/\[\[?(?:\.\.\.)?(\w+)(?:=\w+)?\]?\]/g)];
	const fields = found.map((match) => `${match[1]}${match[0].startsWith('[[') ? '?' : ''}: string`);
	return `{ ${fields.join('; ')} }`;
}

function nodeOf(kind, folder, paths, read) {
	const name = kind.toLowerCase();
	const server = fileOf(folder, `+${name}.server`, paths);
	const universal = fileOf(folder, `+${name}`, paths);
	const parent = parentOf(kind, folder);
	const serverParent = `Defined<${parent.replace(/LayoutData$/, 'LayoutServerData')}>`;
	const universalParent = `Defined<${parent}>`;
	const loaded = (file, otherwise) => (file && exportsOf(read(file), 'load') ? `Loaded<typeof import('./${importable(file, read)}').load>` : otherwise);
	const shape = universal ? 'Partial<App.PageData> & Record<string, any> | void' : `Shape<${serverParent}>`;
	// Without a load function among the files nobody knows what arrives.
	const known = kind === 'Layout' || server || universal || abovesOf(folder).some((one) => fileOf(one, '+layout', paths) || fileOf(one, '+layout.server', paths));
	const open = known ? '' : ' & Record<string, any>';
	const data = loaded(universal, `Defined<${kind}ServerData>`);
	return [
		`export type ${kind}ServerLoad<Output extends ${shape} = ${shape}> = Kit.ServerLoad<RouteParams, ${serverParent}, Output, any>;`,
		`export type ${kind}ServerLoadEvent = Parameters<${kind}ServerLoad>[0];`,
		`export type ${kind}ServerData = ${loaded(server, 'null')};`,
		`export type ${kind}Load<Output extends Shape<${universalParent}> = Shape<${universalParent}>> = Kit.Load<RouteParams, ${kind}ServerData, ${universalParent}, Output, any>;`,
		`export type ${kind}LoadEvent = Parameters<${kind}Load>[0];`,
		`export type ${kind}Data = Expand<Omit<${universalParent}, keyof ${data}> & ${data}>${open};`,
	];
}

function parentOf(kind, folder) {
	if (kind === 'Page') return 'LayoutData';
	return folder === 'src/routes' ? '{}' : "import('../$types.js').LayoutData";
}

function actionsOf(folder, paths, read) {
	const file = fileOf(folder, '+page.server', paths);
	const lines = [
		'export type Action<Output extends Record<string, any> | void = Record<string, any> | void> = Kit.Action<RouteParams, Output, any>;',
		'export type Actions<Output extends Record<string, any> | void = Record<string, any> | void> = Kit.Actions<RouteParams, Output, any>;',
	];
	if (!file || !exportsOf(read(file), 'actions')) {
		return [...lines, `export type ActionData = ${file ? 'unknown' : 'any'};`, 'export type SubmitFunction = Kit.SubmitFunction;'];
	}
	return [
		...lines,
		`type Given = typeof import('./${importable(file, read)}').actions;`,
		'export type ActionData = Expand<Kit.AwaitedActions<Given>> | null;',
		'export type SubmitFunction = Kit.SubmitFunction<Expand<Success<Given>>, Expand<Failure<Given>>>;',
	];
}

function fileOf(folder, stem, paths) {
	return [`${folder}/${stem}.ts`, `${folder}/${stem}.js`].find((path) => paths.has(path));
}

function exportsOf(text, name) {
	return new RegExp(`export\\s+(?:(?:async\\s+)?function\\s*\\*?\\s*|const\\s+|let\\s+)${name}\\b|export\\s*\\{[^}]*\\b${name}\\b`).test(text);
}

/** The module to import from: the file, or its copy if annotations would make a circle. */
function importable(file, read) {
	const name = file.slice(file.lastIndexOf('/') + 1);
	const own = withoutCircle(read(file)) === read(file) ? name : `copy-of-${name}`;
	return own.replace(EXTENSION, '.js');
}

/** Path of each copy that is needed to its text. */
export function copiesOf(paths, read) {
	const made = new Map();
	for (const path of paths.filter((one) => /\/\+(page|layout)(\.server)?\.(js|ts)$/.test(one))) {
		const text = withoutCircle(read(path));
		if (text !== read(path)) made.set(path.replace(/\/\+/, '/copy-of-+'), text);
	}
	return made;
}

const ANNOTATED = /(export\s+const\s+load\s*):\s*((?:Page|Layout)(?:Server)?Load)\b[^=]*=\s*(async\s+)?\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*=>/;

/** `const load: PageLoad = ({ params }) =>` without the annotation, its parameter annotated. */
export function withoutCircle(text) {
	const loaded = text.replace(ANNOTATED, (_all, head, type, wait, given) => {
		const parameter = given.trim() && !/[}\w]\s*:\s*\w+$/.test(given) ? `${given.trim().replace(/,$/, '')}: Parameters<${type}>[0]` : given;
		return `${head} = ${wait ?? ''}(${parameter}) =>`;
	});
	const acted = loaded.replace(/(export\s+const\s+actions\s*):\s*Actions\b\s*=/, '$1 =');
	if (acted === loaded) return acted.replace(/(\}\s*)satisfies\s+Actions\b/, '$1');
	return acted.replace(/((?:^|[{,\n])\s*(?:async\s+)?\w+\s*(?::\s*(?:async\s*)?)?)\(\s*(\{[^}]*\}|\w+)\s*\)(?=\s*(?:=>|\{))/g, (whole, head, given, at) => {
		return at > acted.search(/export\s+const\s+actions\b/) && !/\b(if|for|while|switch|catch)\s*$/.test(head) ? `${head}(${given}: import('./$types.js').RequestEvent)` : whole;
	});
}
