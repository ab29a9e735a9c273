import type { Query } from '../query/query.ts';

/** The page in the dashboard's place where the dashboard was not built: how to build it, and the API. */
/** @param root reference to `/`, relative to the page's own path */
export function frontPage(queries: readonly Query[], root: string): string {
  const items = queries.map(({ path, about }) => {
    const shown = `/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`;
    const name = path.includes(':')
      ? `<code>${shown}</code>`
      : `<a href="${root}${shown.slice(1)}">${shown}</a>`;
    return `<li>${name}<br>${about}</li>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollcall</title>
<meta name="color-scheme" content="light dark">
</head>
<body>
<h1>Rollcall</h1>
<p>Which endpoints are alive, slow, failing or dead, and who calls them.</p>
<p>The dashboard is not built here. In a clone with its development packages, <code>npm run build</code> builds
it and <code>npm start</code> does so by itself; restart the analyzer after that. The API works without it:</p>
<ul>
${items.join('\n')}
<li><a href="${root}api/v1/openapi.json">/api/v1/openapi.json</a><br>All parameters and answers, as OpenAPI 3.1</li>
<li><a href="${root}metrics">/metrics</a>, <a href="${root}healthz">/healthz</a>, <a href="${root}readyz">/readyz</a></li>
</ul>
<p>The slowest endpoints of the last week, as a table:</p>
<pre>curl 'http://127.0.0.1:4380/api/v1/report?window=7d&amp;sort=p95_duration_ms&amp;format=md'</pre>
</body>
</html>
`;
}
