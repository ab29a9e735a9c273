import type { Query } from '../query/query.ts';

/** The page at `/`: what can be asked here, until the dashboard stands in its place. */
export function frontPage(questions: readonly Query[]): string {
  const items = questions.map(({ path, about }) => {
    const shown = `/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`;
    const name = path.includes(':') ? `<code>${shown}</code>` : `<a href="${shown}">${shown}</a>`;
    return `<li>${name}<br>${about}</li>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollcall</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
li { margin: .5rem 0 } pre { background: #8881; padding: .75rem; overflow-x: auto }
:root { color-scheme: light dark }
</style>
</head>
<body>
<h1>Rollcall</h1>
<p>Which endpoints are alive, slow, failing or dead, and who calls them.</p>
<ul>
${items.join('\n')}
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a><br>All parameters and answers, as OpenAPI 3.1</li>
<li><a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></li>
</ul>
<p>The slowest endpoints of the last week, as a table:</p>
<pre>curl 'http://127.0.0.1:4380/api/v1/report?window=7d&amp;sort=p95_duration_ms&amp;format=md'</pre>
</body>
</html>
`;
}
