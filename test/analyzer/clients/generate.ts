import { readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Writes the types of an OpenAPI document: `node generate.ts DOCUMENT OUTPUT`. openapi-typescript uses the
 * programming interface of TypeScript 5, which TypeScript 7 does not have: it is given the older one.
 */
registerHooks({
  resolve(specifier, context, next) {
    const isGenerator = context.parentURL?.includes('/openapi-typescript/');
    return next(specifier === 'typescript' && isGenerator ? 'typescript5' : specifier, context);
  },
});

const [document = '', output = ''] = process.argv.slice(2);
const { astToString, default: openapiTS } = await import('openapi-typescript');
const types = await openapiTS(readFileSync(document, 'utf8'));
writeFileSync(output, astToString(types));
