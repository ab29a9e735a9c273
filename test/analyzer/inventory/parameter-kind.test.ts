import { expect, test } from 'vitest';
import { parameterSchema } from '../../../analyzer/inventory/parameter-kind.ts';
import { openWorld } from '../support/observed-world.ts';

test.each([
  ['articles/<int:year>/', 'year', { type: 'integer' }],
  ['/users/<id:int>', 'id', { type: 'integer' }],
  ['/users/{id:int?}', 'id', { type: 'integer' }],
  ['/users/{id:guid}', 'id', { type: 'string', format: 'uuid' }],
  ['/users/<uuid:key>', 'key', { type: 'string', format: 'uuid' }],
  ['/users/{id:\\d+}', 'id', { type: 'integer' }],
  ['/users/{id: [0-9]+}', 'id', { type: 'integer' }],
  ['/users/:id(\\d+)', 'id', { type: 'integer' }],
  ['/users/:id(\\\\d+)', 'id', { type: 'integer' }],
  ['^articles/(?P<year>[0-9]{4})/$', 'year', { type: 'integer' }],
  ['/prices/<float:price>', 'price', { type: 'number' }],
  ['/blog/[id=integer]', 'id', { type: 'integer' }],
  ['/day/{date}', 'date', { type: 'string', format: 'date' }],
  ['articles/<slug:slug>/', 'slug', { type: 'string' }],
  ['/users/:id([a-z]+)', 'id', { type: 'string' }],
  ['/users/{id}', 'id', { type: 'string' }],
  ['/files/{path:path}', 'path', { type: 'string' }],
])('%s: the kind of %s', (display, name, schema) => {
  expect(parameterSchema(name, display)).toEqual(schema);
});

test('the observed document tells kinds of parameters by the spelling of the service', async () => {
  const world = await openWorld();
  try {
    await world.send([{}, [{ at: 0.5, route: 'articles/<int:year>/<slug:slug>/' }]]);
    const { paths } = await world.door.get('/services/shop/openapi?window=7d');
    const { parameters } = paths['/articles/{year}/{slug}'];
    const kinds = parameters.map(({ schema }: { schema: object }) => schema);
    expect(kinds).toEqual([{ type: 'integer' }, { type: 'string' }]);
  } finally {
    await world.close();
  }
});
