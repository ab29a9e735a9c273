import { expect, test } from 'vitest';
import { examples } from '../../../analyzer/api/examples.ts';
import { projectCommands } from '../../../analyzer/api/project-commands.ts';
import { queries } from '../../../analyzer/api/queries.ts';
import { checkDocumented } from '../support/documented.ts';

const again = 'run `npm run examples`: it asks the demo again';

test.each(Object.entries(examples))('the example of %s is what the document says', (_name, one) => {
  const [method, address] = one.request.split(' ') as [string, string];
  const status = method === 'POST' && address === '/events' ? 201 : 200;
  expect(() => checkDocumented(method, address, status, one.answer), again).not.toThrow();
});

test('every query, and every command of a project that answers, has an example', () => {
  const answering = projectCommands.filter(
    ({ schema, name }) => schema && name !== 'forgetService',
  );
  const names = [...queries, ...answering].map(({ name }) => name);
  expect(Object.keys(examples).sort(), again).toEqual(names.sort());
});
