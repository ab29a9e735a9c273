import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallDictionary } from '../../core/call.ts';
import type { InventoryStore } from '../../core/store/inventory.ts';
import type { RouteDeclaration } from '../../core/store/live-routes.ts';
import type { CallReader, CallWriter } from '../../core/store/store.ts';

export interface DeclarationEngine {
  /** A writer whose clock is `now`, and on whose hourly work one can wait. */
  writer: CallWriter & { purge(nowS: number): Promise<void>; compact(): Promise<void> };
  reader: CallReader;
  inventories: InventoryStore;
  end(): Promise<void>;
}

/** What every engine must do with routes that services declare over OTLP. An engine's test calls it with its opener. */
export function declarationContract(
  engine: string,
  start: (now: () => number) => Promise<DeclarationEngine>,
): void {
  describe(`${engine} declarations over OTLP`, () => {
    const firstMs = 1_790_000_000_000;
    const hourMs = 3_600_000;
    let nowMs = firstMs;
    let under: DeclarationEngine;

    beforeEach(async () => {
      nowMs = firstMs;
      under = await start(() => nowMs);
    });
    afterEach(() => under.end());

    const declaration = (told: Partial<RouteDeclaration> = {}): RouteDeclaration => ({
      project: 'default',
      service: 'shop',
      environment: 'prod',
      version: '1',
      instance: 'a',
      set: randomBytes(16).toString('hex'),
      part: 1,
      parts: 1,
      routes: ['GET /a'],
      deprecated: [],
      atMs: nowMs,
      ...told,
    });

    const dictionary = new CallDictionary();
    async function declare(...declarations: RouteDeclaration[]): Promise<void> {
      const batch = under.writer.newBatch();
      batch.declarations.push(...declarations);
      const digest = randomBytes(16);
      batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: 0 });
      await under.writer.append(batch, dictionary.takeNew());
    }

    /** `METHOD /route` of what applies, in their order; deprecated ones end with `!`. */
    async function declared(environment = 'prod'): Promise<string[]> {
      return under.reader.snapshot('default', async (snapshot) =>
        (await snapshot.inventories())
          .filter((inventory) => inventory.environment === environment)
          .flatMap(({ routes }) => routes)
          .map(
            ({ method, route, deprecated }) => `${method || '*'} ${route}${deprecated ? '!' : ''}`,
          ),
      );
    }
    const place = { service: 'shop', environment: 'prod' };

    it('the routes of a service are in the next snapshot, as an inventory of its environment', async () => {
      await declare(
        declaration({ routes: ['post /b', '* /c', '/d', 'no route'], deprecated: ['/d'] }),
      );
      expect(await declared()).toEqual(['* /c', '* /d!', 'POST /b']);
      expect(await declared('other')).toEqual([]);
      expect(await under.inventories.inventory('default', place)).toMatchObject({
        format: 'otlp',
        version: 1,
        declaredRoutes: 3,
      });
    });

    it('parts are one declaration, in any order and several times, when all have come', async () => {
      const set = 'aa'.repeat(16);
      const parts = ['GET /a', 'GET /b', 'GET /c'].map((line, index) =>
        declaration({ set, part: index + 1, parts: 3, routes: [line] }),
      );
      await declare(parts[2]!);
      await declare(parts[0]!, parts[0]!);
      expect(await declared()).toEqual([]);
      await declare(parts[1]!);
      expect(await declared()).toEqual(['GET /a', 'GET /b', 'GET /c']);
      expect(await under.inventories.history('default', place)).toHaveLength(1);
    });

    it('a rolling deployment takes no route away while the old version is alive', async () => {
      const versions: [string, string[]][] = [
        ['1', ['GET /a', 'GET /old']],
        ['2', ['GET /a', 'GET /new']],
      ];
      for (let n = 0; n < 6; n += 1) {
        for (const [version, routes] of versions) {
          nowMs += 60_000;
          await declare(declaration({ version, instance: `${version}-${n}`, routes }));
          expect(await declared()).toContain('GET /old');
        }
      }
      expect(await declared()).toEqual(['GET /a', 'GET /new', 'GET /old']);
      expect(await under.inventories.history('default', place)).toHaveLength(2);
    });

    it('the routes of a version go a day after its last sign', async () => {
      await declare(declaration({ routes: ['GET /a', 'GET /old'] }));
      nowMs += 2 * hourMs;
      const next = { version: '2', instance: 'b', routes: ['GET /a'] };
      await declare(declaration(next));
      expect(await declared()).toContain('GET /old');
      nowMs += 25 * hourMs;
      await declare(declaration(next));
      await under.writer.purge(Math.floor(nowMs / 1000));
      expect(await declared()).toEqual(['GET /a']);
      const inventory = await under.inventories.inventory('default', place);
      expect(inventory?.former).toEqual([{ method: 'GET', route: '/old', removedMs: nowMs }]);
    });

    it('a version that is still called keeps its routes', async () => {
      await declare(declaration({ routes: ['GET /old'] }));
      nowMs += 48 * hourMs;
      await call('1');
      await declare(declaration({ version: '2', instance: 'b', routes: ['GET /new'] }));
      expect(await declared()).toEqual(['GET /new', 'GET /old']);
    });

    it('a service that is switched off keeps its routes', async () => {
      await declare(declaration());
      nowMs += 300 * 24 * hourMs;
      await under.writer.purge(Math.floor(nowMs / 1000));
      expect(await declared()).toEqual(['GET /a']);
    });

    it('a late declaration of a process does not replace its newer one', async () => {
      const late = declaration({ routes: ['GET /first'], atMs: nowMs });
      await declare(declaration({ routes: ['GET /second'], atMs: nowMs + 1000 }));
      await declare(late);
      expect(await declared()).toEqual(['GET /second']);
    });

    it('an uploaded inventory comes first, and declarations apply again when it is removed', async () => {
      await declare(declaration());
      const upload = (environment: string | null) =>
        under.inventories.replace(
          'default',
          { service: 'shop', environment },
          {
            author: 'ada',
            createdMs: nowMs,
            format: 'routes',
            routes: [{ method: 'GET', route: '/uploaded', deprecated: false }],
            prefixes: [],
          },
        );
      const by = { author: 'ada', createdMs: nowMs };
      for (const environment of ['prod', null]) {
        await upload(environment);
        expect(await declared()).toEqual(environment === null ? [] : ['GET /uploaded']);
        await under.inventories.remove('default', { service: 'shop', environment }, by);
        expect(await declared()).toEqual(['GET /a']);
      }
    });

    it('each project and environment has its own; a project that does not exist has none', async () => {
      await declare(declaration({ environment: 'eu', routes: ['GET /eu'] }));
      await declare(declaration({ project: 'absent' }));
      expect(await declared()).toEqual([]);
      expect(await declared('eu')).toEqual(['GET /eu']);
    });

    it('the declarations of 256 processes are kept, and 20,000 routes', async () => {
      const many = Array.from({ length: 20_100 }, (_, n) => `GET /r${n}`);
      await declare(declaration({ routes: many }));
      expect(await declared()).toHaveLength(20_000);
      for (let n = 0; n < 3; n += 1) {
        const processes = Array.from({ length: 100 }, (_, i) =>
          declaration({ instance: `${n}-${i}`, atMs: nowMs + 1 + n }),
        );
        await declare(...processes);
      }
      expect(await declared()).toEqual(['GET /a']);
    });

    /** One answered call of a version, rolled up. */
    async function call(serviceVersion: string): Promise<void> {
      const batch = under.writer.newBatch();
      const index = batch.push();
      const { columns } = batch;
      columns.endpoint[index] = dictionary.endpoint({
        project: 'default',
        service: 'shop',
        environment: 'prod',
        method: 'GET',
        route: '/old',
        templated: false,
      });
      const context = { consumer: '', agent: '', bot: false, errorType: '' };
      columns.origin[index] = dictionary.origin({ serviceVersion, ...context });
      columns.client[index] = 0;
      columns.endS[index] = Math.floor(nowMs / 1000);
      columns.endNs[index] = 0;
      columns.status[index] = 200;
      columns.durationNs[index] = 1000;
      columns.requestBytes[index] = -1;
      columns.responseBytes[index] = -1;
      batch.deliveries.push({
        project: 'default',
        digest: randomBytes(16),
        firstCall: 0,
        calls: 1,
      });
      await under.writer.append(batch, dictionary.takeNew());
      await under.writer.compact();
    }
  });
}
