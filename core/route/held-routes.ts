/**
 * Routes that a longer text holds (docs/extraction.md X24): predicates of Spring WebFlux, endpoint URIs of Apache
 * Camel, files of Nitro, Next.js, SvelteKit and Remix. Only the path tells whether one of them is meant, so they are
 * tried when the text as a whole does not fit it.
 */
export function heldRoutes(text: string): string[] {
  if (isPredicate(text)) return inPredicates(text);
  const uri = /^[a-z][a-z0-9+.-]*:(?=[^:]*[:/])/i.exec(text);
  if (uri) return inUri(text.slice(uri[0].length));
  return inFileName(text);
}

/** Whether the text combines conditions: it is no route as a whole, whatever path it seems to fit. */
export function isPredicate(text: string): boolean {
  return /&&|\|\||=>/.test(text);
}

/**
 * `(GET && /users/{id})`, `(/users/{id} || /people/{id})`; nested functions join their paths:
 * `(/api => (GET && /users/{id}))`.
 */
function inPredicates(text: string): string[] {
  return text.split('||').flatMap((alternative) => {
    const paths = [...alternative.matchAll(/(?:^|[\s(])(\/[^\s()&|,]*)/g)].map(
      (found) => found[1]!,
    );
    return paths.length > 1 ? [paths.join(''), ...paths] : paths;
  });
}

/** What follows the scheme: `http://0.0.0.0:8080/users/{id}?x=1`, `/users/{id}`, `get:users:/{id}` of a `rest:` URI. */
function inUri(rest: string): string[] {
  const [address = ''] = rest.split('?', 1);
  const inRest = restUri.exec(address);
  if (inRest) return [`/${inRest[2]}/${inRest[3]}`];
  const path = address.replace(/^[a-z][a-z0-9+.-]*:(?=\/)/i, '').replace(/^\/\/[^/]*/, '');
  const start = path.indexOf('/');
  return start < 0 ? [] : [path.slice(start)];
}

const verbs = 'get|head|post|put|delete|patch|options';
/** `get:users:/{id}`: method, path, template of what follows it. */
const restUri = new RegExp(`^(${verbs}):/?([^:]*?)/?:/?(.*)$`, 'i');
const fileEnding = new RegExp(
  `(\\.(${verbs}))?\\.([cm]?[jt]sx?|vue|svelte|astro|py|php)$|\\.(${verbs})$`,
  'i',
);
/** Folders that hold files of routes. */
const routeFolder = /^(src|app|server|pages|routes|functions)$/;
/** Files whose folder is the route. */
const unnamedFile = /^(index|route|page|\+server|\+page(\.server)?)$/;

/** `server/api/users/[id].get.ts`, `app/api/users/[id]/route.ts`, `app/routes/users.$id.tsx`. */
function inFileName(text: string): string[] {
  const bare = text.replace(fileEnding, '');
  const folders = bare.split('/').filter((part) => part !== '' && part !== '.');
  if (bare === text && !routeFolder.test(folders[0] ?? '')) return [];
  if (unnamedFile.test(folders.at(-1) ?? '')) folders.pop();
  const found: string[] = [];
  for (;;) {
    const route = `/${folders.join('/')}`;
    found.push(route);
    if (route.includes('.$')) found.push(route.replaceAll('.', '/'));
    if (!routeFolder.test(folders[0] ?? '')) return found;
    folders.shift();
  }
}
