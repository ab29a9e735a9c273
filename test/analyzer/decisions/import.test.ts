import { expect, test } from 'vitest';
import { importDecisions } from '../../../analyzer/decisions/decisions.ts';
import type { ProjectContext } from '../../../analyzer/query/project-command.ts';
import type { Decision, DecisionPlace } from '../../../core/store/decisions.ts';

/** The import of a file of the shop, beside decisions that are there, on a store in memory. */
const nowMs = 1_790_000_000_000;

const decision = (service: string, route: string, told: Partial<Decision> = {}): Decision => ({
  service,
  environment: null,
  method: 'GET',
  route,
  action: 'keep',
  reason: '',
  untilMs: null,
  by: '',
  decidedMs: 1,
  lastAnsweredMs: null,
  callers: [],
  ...told,
});

function open(before: readonly Decision[], parameters: { prune: string; dry_run: string }) {
  const calls: [string, ...unknown[]][] = [];
  const refused: { withdraw?: Error } = {};
  const snapshot = {
    endpoints: async () => [],
    inventories: async () => [],
    decisions: async () => before,
  };
  const context = {
    project: 'default',
    nowMs,
    parameters,
    body: "decisions: [{service: shop, method: GET, route: '/a', decision: remove}]",
    ask: (answer: (context: unknown) => unknown) => answer({ snapshot }),
    decisions: {
      decide: async (project: string, changed: readonly Decision[]) => {
        calls.push(['decide', project, changed.map(({ route }) => route)]);
      },
      withdraw: async (project: string, places: readonly DecisionPlace[], by: unknown) => {
        calls.push(['withdraw', project, places.map(({ service, route }) => service + route), by]);
        await Promise.resolve();
        if (refused.withdraw) throw refused.withdraw;
      },
    },
  } as unknown as ProjectContext<never>;
  return { run: () => importDecisions.run(context), calls, refused };
}

const there = [decision('shop', '/a'), decision('shop', '/b'), decision('pay', '/c')];
const by = { by: 'import', decidedMs: nowMs };

test('pruning withdraws what the file lacks of its own services, and nothing of others', async () => {
  const { run, calls } = open(there, { prune: 'true', dry_run: 'false' });
  expect(await run()).toMatchObject({ decided: 1, unchanged: 0, withdrawn: 1 });
  expect(calls).toEqual([
    ['decide', 'default', ['/a']],
    ['withdraw', 'default', ['shop/b'], by],
  ]);
});

test('nothing is withdrawn without pruning, and nothing is stored by a dry run', async () => {
  const plain = open(there, { prune: 'false', dry_run: 'false' });
  expect(await plain.run()).toMatchObject({ decided: 1, withdrawn: 0 });
  expect(plain.calls).toEqual([['decide', 'default', ['/a']]]);
  const dry = open(there, { prune: 'true', dry_run: 'true' });
  expect(await dry.run()).toMatchObject({ decided: 1, withdrawn: 1, dry_run: true });
  expect(dry.calls).toEqual([]);
});

test('an import whose pruning fails is not answered as done', async () => {
  const { run, refused } = open(there, { prune: 'true', dry_run: 'false' });
  refused.withdraw = new Error('locked');
  await expect(run()).rejects.toThrow('locked');
});

test('a decision that is the same stays as it is', async () => {
  const same = decision('shop', '/a', { action: 'remove', decidedMs: 5, callers: ['old'] });
  const { run, calls } = open([same], { prune: 'false', dry_run: 'false' });
  expect(await run()).toMatchObject({ decided: 0, unchanged: 1 });
  expect(calls).toEqual([['decide', 'default', []]]);
  for (const told of [
    { reason: 'x' },
    { untilMs: 5 },
    { by: 'ada' },
    { action: 'keep' as const },
  ]) {
    const { run: changed } = open([{ ...same, ...told }], { prune: 'false', dry_run: 'false' });
    expect(await changed()).toMatchObject({ decided: 1, unchanged: 0 });
  }
});
