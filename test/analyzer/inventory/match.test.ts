import { expect, it } from 'vitest';
import { DeclarationTable, type ObservedRoute } from '../../../analyzer/inventory/match.ts';
import { readInventory } from '../../../analyzer/inventory/read.ts';

const told = (line: string): ObservedRoute => {
  const [method, route, templated] = line.split(' ');
  return { method: method!, route: route!, templated: templated === 'templated' };
};

/** Declared lines, observed lines, then for each observed one the declared lines that it is a call of. */
function matched(declared: string[], observed: string[], prefixes: string[] = []) {
  const table = new DeclarationTable(readInventory(declared.join('\n')).routes, prefixes);
  const matches = observed.map((line) => table.match(told(line)));
  const names = matches.map((match) => (match?.declarations ?? []).map((at) => declared[at]!));
  return {
    names,
    never: declared.filter((line) => !names.flat().includes(line)),
    guessed: matches.flatMap((match, at) => (match?.guessed ? [at] : [])),
    prefixes: matches.map((match) => match?.prefix),
  };
}

it.each([
  ['GET /users/:id', 'GET /users/{user_id}'],
  ['GET /users/<int:id>', 'GET /users/{id}'],
  ['GET ^users/(?P<pk>\\d+)/$', 'GET /users/{pk}'],
  ['GET /users/{id}/', 'GET /users/{id}'],
  ['GET /files/{path}', 'GET /files/{filepath}'],
  ['/any', 'PATCH /any'],
  ['GET /a', 'HEAD /a'],
  ['GET /Orders/{id}', 'GET /orders/{id}'],
])('declared %s and observed %s are one endpoint', (declaration, observation) => {
  expect(matched([declaration], [observation])).toMatchObject({
    names: [[declaration]],
    never: [],
  });
});

it.each([
  ['GET /users/{id}', 'POST /users/{id}'],
  ['GET /users/{id}', 'GET /users/me'],
  ['GET /users/me', 'GET /users/{id}'],
  ['POST /a', 'HEAD /a'],
  ['GET /a', 'GET (unmatched)'],
  ['GET /{path}', 'GET {other}'],
])('declared %s and observed %s are two', (declaration, observation) => {
  expect(matched([declaration], [observation])).toMatchObject({
    names: [[]],
    never: [declaration],
  });
});

it('HEAD that is declared itself is no call of GET', () => {
  expect(matched(['HEAD /a', 'GET /a'], ['HEAD /a'])).toMatchObject({
    names: [['HEAD /a']],
    never: ['GET /a'],
  });
});

it('a call may come with a server prefix or without', () => {
  const declared = ['GET /a', 'GET /b', 'GET /c'];
  const found = matched(declared, ['GET /a', 'GET /v2/b', 'GET /v2/c'], ['/v1', '/v2']);
  expect(found).toMatchObject({ names: [['GET /a'], ['GET /b'], ['GET /c']], never: [] });
  expect(found.prefixes).toEqual(['', '/v2', '/v2']);
});

it('declarations of one shape are told apart by their names, else a call counts for each', () => {
  const declared = ['GET /a/{year}', 'GET /a/{slug}'];
  expect(matched(declared, ['GET /a/{year}']).never).toEqual(['GET /a/{slug}']);
  expect(matched(declared, ['GET /a/{id}']).never).toEqual([]);
});

it('only a made-up route may have a parameter value where a parameter is declared', () => {
  const declared = ['GET /articles/{slug}', 'GET /articles/new', 'GET /{tenant}/users/{id}'];
  expect(matched(declared, ['GET /articles/hello-world templated'])).toMatchObject({
    names: [['GET /articles/{slug}']],
    guessed: [0],
  });
  expect(matched(declared, ['GET /articles/new templated'])).toMatchObject({
    names: [['GET /articles/new']],
    guessed: [],
  });
  expect(matched(declared, ['GET /acme/users/{id} templated']).names).toEqual([
    ['GET /{tenant}/users/{id}'],
  ]);
  expect(matched(declared, ['GET /articles/hello-world']).names).toEqual([[]]);
});
