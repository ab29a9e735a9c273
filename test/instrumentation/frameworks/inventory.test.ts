import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

interface InventoryPart {
  'rollcall.routes': string[];
  'rollcall.inventory.part'?: number;
  'rollcall.inventory.parts'?: number;
  'rollcall.inventory.omitted'?: number;
}
interface Inventory {
  declare(routes: readonly { method: string; route: string }[]): void;
  flush(): void;
}
type NewInventory = new (
  send: (parts: InventoryPart[]) => void,
  log: (line: string) => void,
) => Inventory;

/** As it is built: the package's sources are CommonJS to be. */
const built = createRequire(new URL('../../../instrumentation/dist/index.js', import.meta.url));
const { Inventory } = built('./inventory.js') as { Inventory: NewInventory };
const { limits } = built('./limits.js') as {
  limits: Record<
    'inventoryDelayMs' | 'inventoryDelayMsMax' | 'inventoryRoutes' | 'declaredRoutes',
    number
  >;
};
const { isCatchAll } = built('./frameworks/declared-methods.js') as {
  isCatchAll(route: string): boolean;
};
const { joined } = built('./frameworks/express-tree.js') as {
  joined(above: string | RegExp, path: string | RegExp): string | RegExp;
};

const gets = (count: number, prefix = '/r') =>
  Array.from({ length: count }, (_, n) => ({ method: 'get', route: `${prefix}/${n}` }));

describe('inventory', () => {
  let sent: InventoryPart[][];
  let said: string[];
  let inventory: Inventory;
  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    said = [];
    inventory = new Inventory(
      (parts) => sent.push(parts),
      (line) => said.push(line),
    );
  });
  afterEach(() => vi.useRealTimers());

  test('declarations of one moment go together, sorted, each once', () => {
    inventory.declare([{ method: 'post', route: '/b' }]);
    inventory.declare([
      { method: 'GET', route: '/a' },
      { method: 'POST', route: '/b' },
    ]);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(limits.inventoryDelayMs);
    expect(sent).toEqual([[{ 'rollcall.routes': ['GET /a', 'POST /b'] }]]);
  });

  test('what is known is not sent again; what is new is, with all the rest', () => {
    inventory.declare(gets(1));
    inventory.flush();
    inventory.declare(gets(1));
    vi.advanceTimersByTime(limits.inventoryDelayMsMax);
    expect(sent).toHaveLength(1);
    inventory.declare(gets(2));
    inventory.flush();
    expect(sent[1]).toEqual([{ 'rollcall.routes': ['GET /r/0', 'GET /r/1'] }]);
  });

  test('an inventory is sent again every hour, so that its process counts as alive', () => {
    inventory.declare(gets(2));
    vi.advanceTimersByTime(limits.inventoryDelayMs);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(3_600_000 - 1);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent[1]).toEqual(sent[0]);
    vi.advanceTimersByTime(3_600_000);
    expect(sent).toHaveLength(3);
  });

  test('an app that adds routes for ever sends ever less often', () => {
    const hours = 3;
    let n = 0;
    for (let second = 0; second < hours * 3600; second += 1) {
      inventory.declare([{ method: 'GET', route: `/added/${n++}` }]);
      vi.advanceTimersByTime(1_000);
    }
    expect(sent.length).toBeLessThan(10 + (hours * 3_600_000) / limits.inventoryDelayMsMax);
    expect(sent.length).toBeGreaterThan((hours * 3_600_000) / limits.inventoryDelayMsMax);
  });

  test('a list that is too long for a span comes in parts that make the whole', () => {
    const count = limits.inventoryRoutes * 2 + 1;
    inventory.declare(gets(count));
    inventory.flush();
    const [parts] = sent;
    expect(parts?.map((part) => part['rollcall.routes'].length)).toEqual([
      limits.inventoryRoutes,
      limits.inventoryRoutes,
      1,
    ]);
    expect(parts?.map((part) => part['rollcall.inventory.part'])).toEqual([1, 2, 3]);
    expect(new Set(parts?.flatMap((part) => part['rollcall.routes'])).size).toBe(count);
    expect(parts?.every((part) => part['rollcall.inventory.parts'] === 3)).toBe(true);
  });

  test('routes beyond the bounds are counted and said once', () => {
    inventory.declare([...gets(1), { method: 'GET', route: `/${'x'.repeat(600)}` }]);
    inventory.flush();
    expect(sent[0]).toEqual([{ 'rollcall.routes': ['GET /r/0'], 'rollcall.inventory.omitted': 1 }]);
    inventory.declare(gets(limits.declaredRoutes + 5));
    inventory.flush();
    const last = sent[1]?.at(-1);
    expect(last?.['rollcall.inventory.omitted']).toBe(5);
    expect(sent[1]).toHaveLength(limits.declaredRoutes / limits.inventoryRoutes);
    expect(said).toHaveLength(1);
  });

  test('what answers all that is left is not declared', () => {
    for (const route of [
      '*',
      '/*',
      '/api/*path',
      '/{*splat}',
      '/shop/{/*rest}',
      '/{p*}',
      '/(.*)',
    ]) {
      expect([route, isCatchAll(route)]).toEqual([route, true]);
    }
    expect(['/files/*/x', '/a*b/c', '/x'].map(isCatchAll)).toEqual([false, false, false]);
    inventory.declare([
      { method: '*', route: '/api/*path' },
      { method: 'GET', route: '/files/*path' },
    ]);
    inventory.flush();
    expect(sent[0]?.[0]?.['rollcall.routes']).toEqual(['GET /files/*path']);
  });
});

describe("Express's mounts", () => {
  test.each([
    ['', '/x', '/x'],
    ['/', '/x', '/x'],
    ['/api/', '/x', '/api/x'],
    ['/api', '/', '/api'],
    ['/api', 'x', '/api/x'],
    ['/orgs/:org', '/:id', '/orgs/:org/:id'],
    ['/a', /^\/x(\d+)$/, '/^\\/a\\/x(\\d+)$/'],
    ['/a/:b', /^\/x$/i, '/^\\/a\\/(?<b>[^\\/]+)\\/x$/i'],
    [/^\/rx(\d+)/, '/:id', '/^\\/rx(\\d+)\\/(?<id>[^\\/]+)/'],
  ] as const)('%s before %s is %s', (above, path, together) => {
    expect(String(joined(above, path))).toBe(together);
  });
});
