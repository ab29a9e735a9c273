import { afterEach, expect, test } from 'vitest';
import { SortedList } from '../../../analyzer/query/page.ts';
import { type RememberedList, RememberedLists } from '../../../analyzer/query/remembered-lists.ts';
import { limits } from '../../../core/limits.ts';
import { Random } from '../../../core/random.ts';
import type { CallReader } from '../../../core/store/store.ts';
import {
  call,
  hourMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

const doors: ListenOptions[] = [];
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close();
});

async function open(reader: CallReader, now = () => nowMs): Promise<ListenOptions> {
  const door = await openDoor(reader, nowMs, undefined, undefined, { now });
  doors.push(door);
  return door;
}

/** A store that grows, and counts how often it was read for a whole list. */
function growing(calls: PlainCall[]): { reader: CallReader; reads: () => number } {
  let reads = 0;
  return {
    reads: () => reads,
    reader: {
      check: async () => undefined,
      close: async () => undefined,
      snapshot: (project, query) =>
        oracleReader(calls).snapshot(project, (snapshot) =>
          query({
            ...snapshot,
            usage(...parameters) {
              reads += 1;
              return snapshot.usage(...parameters);
            },
          }),
        ),
    },
  };
}

const routes = repeat(40, (n) => call({ route: `/r${n}`, endMs: nowMs - n * minuteMs }));
const busier = (n: number): PlainCall[] => repeat(5, () => call({ route: `/r${n}` }));

/** Reads a list to its end, and lets calls arrive before each further page. */
async function walk(door: ListenOptions, path: string, arrive: (page: number) => void) {
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the tests expect of them
  const pages: any[] = [];
  for (let cursor = ''; ; ) {
    const page = await door.get(`${path}${cursor}`);
    pages.push(page);
    if (page.next_cursor === null) return pages;
    cursor = `&cursor=${page.next_cursor}`;
    arrive(pages.length);
  }
}

test.each(['total_calls', 'last_called_at', 'days_since_last_call', 'avg_duration_ms'])(
  'pages sorted by %s are of one moment while calls arrive',
  async (sort) => {
    const calls = [...routes];
    const { reader } = growing(calls);
    const door = await open(reader);
    const whole = await door.get(`/report?sort=${sort}`);
    // Endpoints of the last page move to the top, those of the first page down, and new ones appear.
    const pages = await walk(door, `/report?sort=${sort}&limit=7`, (page) => {
      calls.push(...busier(40 - page), ...busier(page), call({ route: `/new${page}` }));
    });
    expect(pages).toHaveLength(6);
    expect(pages.flatMap(({ endpoints }) => endpoints)).toEqual(whole.endpoints);
    for (const { summary, window, generated_at } of pages) {
      expect({ summary, window, generated_at }).toEqual({
        summary: whole.summary,
        window: whole.window,
        generated_at: whole.generated_at,
      });
    }
  },
);

test('a later page reads nothing from the store: it costs its own rows', async () => {
  const { reader, reads } = growing([...routes]);
  const door = await open(reader);
  const pages = await walk(door, '/report?limit=1', () => undefined);
  expect(pages).toHaveLength(40);
  expect(reads()).toBe(1);
});

test('a page of a list that is no longer remembered says so, and goes on behind its position', async () => {
  const calls = [...routes];
  let clockMs = nowMs;
  const door = await open(growing(calls).reader, () => clockMs);
  const first = await door.get('/report?sort=route&limit=10');
  expect(first.notes).toBeUndefined();
  clockMs += limits.rememberedListMs;
  const second = await door.get(`/report?sort=route&limit=10&cursor=${first.next_cursor}`);
  expect(second.notes).toMatchObject([{ code: 'list_renewed', field: 'cursor' }]);
  expect(second.window).toEqual(first.window);
  const third = await door.get(`/report?sort=route&limit=30&cursor=${second.next_cursor}`);
  expect(third.notes).toBeUndefined();
  const seen = [first, second, third].flatMap(({ endpoints }) => endpoints);
  expect(new Set(seen.map(({ route }) => route)).size).toBe(40);
  // Another process answers too: it has no memory of the list.
  const other = await open(growing(calls).reader);
  const elsewhere = await other.get(`/report?sort=route&limit=10&cursor=${first.next_cursor}`);
  expect(elsewhere.endpoints).toEqual(second.endpoints);
});

test.each(['route', 'total_calls', 'last_called_at'])(
  'a page whose cursor names a row that is gone, sorted by %s: the rows behind it follow, each once',
  async (sort) => {
    const calls = [...routes];
    let clockMs = nowMs;
    const door = await open(growing(calls).reader, () => clockMs);
    const whole = await door.get(`/report?sort=${sort}`);
    const routesOf = (page: { endpoints: { route: string }[] }) =>
      page.endpoints.map(({ route }) => route);
    const all = routesOf(whole);
    const first = await door.get(`/report?sort=${sort}&limit=10`);
    expect(routesOf(first)).toEqual(all.slice(0, 10));
    // Somebody forgets the last row of that page, and the first of the next one.
    const gone = all.slice(9, 11);
    calls.splice(0, calls.length, ...calls.filter(({ route }) => !gone.includes(route)));
    clockMs += 30 * minuteMs;
    const second = await door.get(
      `/report?sort=${sort}&limit=100&cursor=${encodeURIComponent(first.next_cursor)}`,
    );
    expect(second.notes).toMatchObject([{ code: 'list_renewed', field: 'cursor' }]);
    expect(routesOf(second)).toEqual(all.slice(11));
    expect(second.next_cursor).toBeNull();
  },
);

test('an hour of paging keeps the list remembered', async () => {
  let clockMs = nowMs;
  const door = await open(growing([...routes]).reader, () => clockMs);
  const pages = await walk(door, '/report?limit=5', () => {
    clockMs += limits.rememberedListMs - 1;
  });
  expect(pages).toHaveLength(8);
  expect(pages.every(({ notes }) => notes === undefined)).toBe(true);
});

test('the lists that were read longest ago are forgotten first', () => {
  const lists = new RememberedLists();
  const list = (rows: number): RememberedList => ({
    project: 'default',
    query: 'q',
    head: {},
    sorted: new SortedList(
      Array.from({ length: rows }, (_, n) => n),
      { value: (n) => n, descending: false, key: String },
    ),
  });
  const third = Math.floor(limits.rememberedListRows / 3);
  const [first, second] = [1, 2, 3].map(() => lists.remember(list(third), 0));
  expect(lists.find(first!, 'default', 'q', 0)).toBeDefined();
  lists.remember(list(third), 0);
  expect(lists.find(second!, 'default', 'q', 0)).toBeUndefined();
  expect(lists.find(first!, 'default', 'q', 0)).toBeDefined();
  // Neither another project nor another query finds it.
  expect(lists.find(first!, 'other', 'q', 0)).toBeUndefined();
  expect(lists.find(first!, 'default', 'r', 0)).toBeUndefined();
  expect(lists.remember(list(limits.rememberedListRows + 1), 0)).toBe('');
  expect(lists.find(first!, 'default', 'q', 0)).toBeDefined();
  expect(lists.find(first!, 'default', 'q', limits.rememberedListMs)).toBeUndefined();
});

test('the first page of a list that is not sorted yet has the rows of the sorted list', () => {
  const random = new Random(3);
  for (let round = 0; round < 300; round++) {
    const rows = Array.from({ length: random.below(60) }, (_, n) => ({
      value: random.below(8) === 0 ? null : random.below(10),
      key: String(n).padStart(2, '0'),
    }));
    const descending = random.below(2) === 0;
    const order = { value: rowValue, key: rowKey, descending };
    const inOrder = rows.toSorted((a, b) => {
      if (a.value === b.value) return a.key < b.key ? -1 : 1;
      if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
      return descending ? b.value - a.value : a.value - b.value;
    });
    const limit = 1 + random.below(20);
    const list = new SortedList(rows, order);
    const read: unknown[] = [];
    let page = list.page(limit, undefined);
    expect(page.rows).toEqual(inOrder.slice(0, limit));
    for (read.push(...page.rows); page.last; read.push(...page.rows)) {
      page = list.page(limit, page.last);
    }
    expect(read).toEqual(inOrder);
  }
});

interface ValueRow {
  value: number | null;
  key: string;
}
const rowValue = ({ value }: ValueRow) => value;
const rowKey = ({ key }: ValueRow) => key;

test('a cursor that the server hands out is one it takes, however long the names are', async () => {
  const long = (letter: string) => `/${letter.repeat(limits.routeBytes - 1)}`;
  const service = '\u0001'.repeat(limits.serviceNameBytes);
  const calls = ['\u0002', '\u0003', '"'].map((letter) =>
    call({ service, route: long(letter), consumer: '\u0004'.repeat(limits.consumerBytes) }),
  );
  const door = await open(oracleReader(calls));
  for (const sort of ['route', 'last_callers', 'marks', 'service', 'route_display']) {
    const pages = await walk(door, `/report?sort=${sort}&limit=1`, () => undefined);
    expect(pages, sort).toHaveLength(3);
  }
});

test('ids and intervals sort by number', async () => {
  const weights = [9, 100, 20, 3];
  const calls = repeat(12, (n) =>
    call({ route: `/r${n}`, ...(n < weights.length && { weight: weights[n]! }) }),
  );
  const door = await open(oracleReader(calls));
  const { endpoints } = await door.get('/report?sort=id');
  expect(endpoints.map(({ id }: { id: string }) => Number(id))).toEqual(
    repeat(12, () => call()).map((_, n) => n + 1),
  );
  const by = await door.get('/report?sort=total_calls_interval');
  const highs = by.endpoints.map(
    (row: { total_calls_interval?: number[] }) => row.total_calls_interval?.[0],
  );
  const known = highs.filter((high: number | undefined) => high !== undefined);
  expect(known).toEqual([...known].sort((a, b) => b - a));
  expect(known.length).toBe(4);
  expect(highs.slice(4).every((high: unknown) => high === undefined)).toBe(true);
});

test('12,000 clients are listed page by page, each once', async () => {
  const address = (n: number) => `10.0.${n >> 8}.${n & 255}`;
  const calls = repeat(12_000, (n) => call({ client: address(n), endMs: nowMs - hourMs }));
  const door = await open(oracleReader(calls));
  const pages = await walk(door, '/clients?limit=10000', () => undefined);
  const clients = pages.flatMap(({ clients }) => clients);
  expect(pages.map(({ clients }) => clients.length)).toEqual([10_000, 2_000]);
  expect(new Set(clients.map(({ client }: { client: string }) => client)).size).toBe(12_000);
});

test('clients beyond the bound share the last row', async () => {
  const many = limits.listedClients + 2;
  const calls = repeat(many, (n) => call({ client: `client-${n}`, status: n % 2 ? 200 : 500 }));
  const door = await open(oracleReader([...calls, call({ client: 'client-0' })]));
  const pages = await walk(door, '/clients?limit=10000', () => undefined);
  const last = pages.at(-1).clients.at(-1);
  expect(last).toMatchObject({ client: '{other}', calls: 2 });
  const sum = pages.flatMap(({ clients }) => clients).reduce((all, { calls }) => all + calls, 0);
  expect(sum).toBe(many + 1);
  const summary = await door.get('/summary?limit=1');
  expect(summary.top_ips).toEqual([{ ip: 'client-0', requests: 2, errors: 1 }]);
  expect(summary.other_ips).toMatchObject({ ip: '{other}', requests: many - 1 });
});

test.each(['A', '=', '!', '%20', '%00', '.'])(
  'a cursor with %j behind it is refused',
  async (more) => {
    const calls = Array.from({ length: 30 }, (_, n) => call({ route: `/r${n}` }));
    const door = await open(oracleReader(calls));
    for (const path of ['/report', '/clients', '/consumers']) {
      const list = `${path}?limit=1`;
      const { next_cursor: cursor } = await door.get(list);
      if (cursor === null) continue;
      const response = await door.fetch(`/api/v1${list}&cursor=${cursor}${more}`);
      expect(response.status, path).toBe(400);
      expect(await response.json()).toMatchObject({ error: { field: 'cursor' } });
    }
  },
);
