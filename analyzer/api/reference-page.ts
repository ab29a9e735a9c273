/**
 * The reference of the REST API for people, made of its OpenAPI document: one page without scripts, which needs no
 * other host. References are relative to /api/docs, so that they hold below a path prefix.
 */

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: Schema;
}

interface Content {
  [type: string]: { schema: Schema; example?: unknown };
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  parameters?: Parameter[];
  requestBody?: { description?: string; content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

export interface ApiDocument {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** @param root reference to `/`, relative to the page */
export function referencePage(document: ApiDocument, root: string): string {
  const { info, tags, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const byTag = tags.map(({ name, description }) => ({
    name,
    description,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const contents = byTag.map(
    (tag) =>
      `<li><a href="#tag-${tag.name}">${text(tag.name)}</a><ul>${tag.operations
        .map(
          ({ path, method, operation }) =>
            `<li><a href="#${operation.operationId}"><b>${method.toUpperCase()}</b> ${text(path)}</a></li>`,
        )
        .join('')}</ul></li>`,
  );
  const sections = byTag.map(
    (tag) =>
      `<section><h2 id="tag-${tag.name}">${text(tag.name)}</h2><p>${text(tag.description)}</p>${tag.operations
        .map(operationSection)
        .join('\n')}</section>`,
  );
  const schemas = Object.entries(components.schemas).map(schemaSection);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${text(info.title)} API ${text(info.version)}</title>
<link rel="stylesheet" href="${root}api/docs.css">
</head>
<body>
<nav aria-label="Contents"><ul>${contents.join('')}<li><a href="#schemas">schemas</a></li></ul></nav>
<main>
<h1>${text(info.title)} API ${text(info.version)}</h1>
<p>${text(info.description)}</p>
<p>All paths are below <code>/api/v1</code>. The whole contract for programs: <a href="${root}api/v1/openapi.json">openapi.json</a> (OpenAPI 3.1). A wrong or unknown parameter is a 400 that names it.</p>
${sections.join('\n')}
<section><h2 id="schemas">schemas</h2>
${schemas.join('\n')}
</section>
</main>
</body>
</html>
`;
}

function operationSection({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const { operationId, description, parameters = [], requestBody, responses } = operation;
  return `<article id="${operationId}">
<h3><code><b>${method.toUpperCase()}</b> ${text(path)}</code></h3>
<p>${text(description)}</p>
${parameters.length === 0 ? '' : table(['parameter', 'type', 'meaning'], parameters.map(parameterCells))}
${requestBody ? `<h4>Body</h4><p>${text(requestBody.description ?? '')}</p>${contentList(requestBody.content)}` : ''}
<h4>Answers</h4>
${table(
  ['status', 'meaning', 'content'],
  Object.entries(responses).map(([status, response]) => [
    `<code>${status}</code>`,
    text(response.description),
    response.content ? contentList(response.content) : '',
  ]),
)}
${exampleOf(responses)}
</article>`;
}

function exampleOf(responses: Operation['responses']): string {
  const example = Object.values(responses)[0]?.content?.['application/json']?.example;
  if (example === undefined) return '';
  const shown = text(JSON.stringify(example, null, 2));
  return `<details><summary>Example</summary><pre>${shown}</pre></details>`;
}

function parameterCells({ name, in: place, required, description = '', schema }: Parameter) {
  const where = place === 'query' ? '' : ` <small>in ${text(place)}</small>`;
  const need = required ? ' <small>required</small>' : '';
  return [`<code>${text(name)}</code>${where}${need}`, typeOf(schema), text(description)];
}

function contentList(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<code>${text(type)}</code> ${typeOf(schema)}`)
    .join('<br>');
}

function schemaSection([name, schema]: [string, Schema]): string {
  const { properties, required = [], description } = schema;
  const rows = Object.entries(properties ?? {}).map(([field, of]) => [
    `<code>${text(field)}</code>${required.includes(field) ? '' : ' <small>optional</small>'}`,
    typeOf(of),
    text(of.description ?? ''),
  ]);
  return `<article id="schema-${text(name)}"><h3>${text(name)}</h3>
${description ? `<p>${text(description)}</p>` : ''}
${rows.length > 0 ? table(['field', 'type', 'meaning'], rows) : `<p>${typeOf(schema)}</p>`}</article>`;
}

function typeOf(schema: Schema): string {
  const { $ref, items, enum: values, type, format } = schema;
  if ($ref !== undefined) {
    const name = text($ref.split('/').at(-1)!);
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return choices.map(typeOf).join(' or ');
  if (values) return values.map((value) => `<code>${text(String(value))}</code>`).join(' ');
  if (schema.const !== undefined) return `<code>${text(JSON.stringify(schema.const))}</code>`;
  if (items) return `list of ${typeOf(items)}`;
  if (typeof schema.additionalProperties === 'object') {
    return `map of ${typeOf(schema.additionalProperties)}`;
  }
  const name = text([type ?? 'any'].flat().join(' or '));
  const bounds = [
    format && text(format),
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.default !== undefined && `default <code>${text(String(schema.default))}</code>`,
  ].filter(Boolean);
  return bounds.length === 0 ? name : `${name} <small>${bounds.join(', ')}</small>`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = headings.map((heading) => `<th scope="col">${heading}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function text(plain: string): string {
  return plain.replace(/[&<>"]/g, (character) => entities[character]!);
}

export const referenceStyle = `
:root { color-scheme: light dark; --line: #d5dae0; --faint: #5b6673; --back: #f5f7f9; }
@media (prefers-color-scheme: dark) { :root { --line: #39414b; --faint: #9aa5b1; --back: #1d2228; } }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; box-sizing: border-box; padding: 1rem;
  border-right: 1px solid var(--line); background: var(--back); font-size: 13px; }
nav ul { list-style: none; margin: 0; padding: 0 0 0 .6rem; overflow-wrap: anywhere; }
main { padding: 1rem 2rem 4rem; max-width: 70rem; }
article { border-top: 1px solid var(--line); margin-top: 1.5rem; scroll-margin-top: 1rem; }
h3 code { font-size: 1.05rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 500; }
small { color: var(--faint); }
pre { background: var(--back); padding: .7rem; overflow: auto; font-size: 12.5px; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border-right: 0; } main { padding: 1rem; } table { display: block; overflow-x: auto; } }
`;
