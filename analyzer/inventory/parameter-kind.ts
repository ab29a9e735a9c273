/**
 * The schema of a path parameter, by what the framework's spelling of the route says of it: Django's `<int:year>`,
 * Flask's and Sanic's `<id:int>`, ASP.NET's `{id:guid}`, Spring's `{id:\\d+}`, Express' `:id(\\d+)`,
 * `(?P<year>[0-9]{4})`. A text of any kind otherwise.
 * @param name of the parameter @param display the route as the service spells it
 */
export function parameterSchema(name: string, display: string): { type: string; format?: string } {
  const kind = kindOf(name, display) ?? (name === 'date' ? 'date' : undefined);
  return schemas.get(kind ?? '') ?? { type: 'string' };
}

const schemas = new Map<string, { type: string; format?: string }>([
  ...['int', 'integer', 'long', 'num'].map((kind) => [kind, { type: 'integer' }] as const),
  ...['float', 'double', 'decimal', 'number'].map((kind) => [kind, { type: 'number' }] as const),
  ...['bool', 'boolean'].map((kind) => [kind, { type: 'boolean' }] as const),
  ...['uuid', 'guid'].map((kind) => [kind, { type: 'string', format: 'uuid' }] as const),
  ...['date', 'ymd'].map((kind) => [kind, { type: 'string', format: 'date' }] as const),
  ['datetime', { type: 'string', format: 'date-time' }],
]);

/** A converter's or constraint's name; `int` for an expression that takes digits only. */
function kindOf(name: string, display: string): string | undefined {
  if (!/^\w+$/.test(name)) return undefined;
  const constraint = [
    `[<{](\\w+):${name}[>}]`,
    `[<{]${name}:(\\w+)\\??[>}]`,
    `[<{]${name}[:=]\\s*([^<>{}]*(?:\\{[\\d,]+\\})?)[>}]`,
    `\\[${name}=(\\w+)\\]`,
    `:${name}\\(([^()]*)\\)`,
    `\\(\\?P?<${name}>([^()]*)\\)`,
  ];
  for (const pattern of constraint) {
    const told = new RegExp(pattern, 'i').exec(display)?.[1]?.trim();
    if (told !== undefined) return digits.test(told) ? 'int' : told.toLowerCase();
  }
  return undefined;
}

const digits = /^\^?(?:\\{1,2}d|\[0-9\])(?:[+*]|\{[\d,]+\})?\$?$/;
