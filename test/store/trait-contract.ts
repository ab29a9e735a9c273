import { describe, expect, it } from 'vitest';
import { CallBatch, type CallDictionary } from '../../core/call.ts';
import type { EndpointTraits } from '../../core/endpoint-traits.ts';
import type { CallReader, CallWriter, EndpointRecord } from '../../core/store/store.ts';
import { inNewStore, type StartEngine } from './opened-store.ts';

/** What every engine keeps of what spans say of an endpoint beside its calls. */
export function traitContract(engine: string, start: StartEngine): void {
  describe(`${engine} store: traits of endpoints`, () => {
    const nowS = 1_790_000_000;
    const today = Math.floor(nowS / 86_400);
    let writer: CallWriter;
    let reader: CallReader;
    let dictionary: CallDictionary;
    let serial = 0;
    const { open, close } = inNewStore(start, nowS, (opened) => {
      ({ writer, reader, dictionary } = opened);
    });

    /** A call to each route, and what its span says. */
    async function append(traits: Record<string, EndpointTraits>): Promise<void> {
      const batch = new CallBatch();
      for (const [route, said] of Object.entries(traits)) {
        const i = batch.push();
        const { columns } = batch;
        const names = { project: 'default', service: 'shop', environment: '', method: 'GET' };
        const endpoint = dictionary.endpoint({ ...names, route, templated: false });
        columns.endpoint[i] = endpoint;
        columns.origin[i] = dictionary.origin({
          ...{ serviceVersion: '', consumer: '', agent: '', bot: false },
          errorType: '',
        });
        columns.client[i] = 0;
        columns.status[i] = 200;
        columns.durationNs[i] = 1_000_000;
        columns.endS[i] = nowS;
        columns.endNs[i] = serial;
        columns.requestBytes[i] = -1;
        columns.responseBytes[i] = -1;
        batch.notes.push({ endpoint, traits: said });
      }
      const digest = new Uint8Array(16);
      serial += 1;
      new DataView(digest.buffer).setUint32(0, serial);
      batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
      await writer.append(batch, dictionary.takeNew());
    }
    const records = (): Promise<EndpointRecord[]> =>
      reader.snapshot('default', (snapshot) => snapshot.endpoints({}));
    const traitsOf = async (): Promise<Record<string, EndpointTraits | undefined>> =>
      Object.fromEntries((await records()).map(({ route, traits }) => [route, traits]));

    const sunset = (at: string, lastDay: number, firstMs = lastDay * 86_400_000) => ({
      announcement: { deprecation: '', sunset: at, link: '', firstMs, lastDay },
    });

    it('the newest announcement counts, with the moment of the first; others are kept', async () => {
      await append({
        '/a': sunset('one', today - 2, 7_000),
        '/b': { owner: { name: 'team-b', lastDay: today } },
      });
      expect(await traitsOf()).toEqual({
        '/a': sunset('one', today - 2, 7_000),
        '/b': { owner: { name: 'team-b', lastDay: today } },
      });
      await append({ '/a': sunset('two', today - 1, 9_000) });
      // Late: its first moment counts, its words do not.
      await append({ '/a': sunset('late', today - 5, 5_000) });
      const code = { function: 'list', file: 'a.ts', line: 3, lastDay: today };
      await append({ '/a': { code, reportingDay: today } });
      const expected = {
        '/a': { ...sunset('two', today - 1, 5_000), code, reportingDay: today },
        '/b': { owner: { name: 'team-b', lastDay: today } },
      };
      expect(await traitsOf()).toEqual(expected);
      await close();
      await open();
      expect(await traitsOf()).toEqual(expected);
    });

    it('an endpoint of which spans say nothing has no traits', async () => {
      await append({ '/a': {} });
      const [record] = await records();
      expect(record!.traits ?? {}).toEqual({});
    });

    it('two spellings that are one endpoint have their traits together', async () => {
      await append({
        '/users/{id}': sunset('old', today - 1, 1_000),
        '/users/{user}': sunset('new', today, 2_000),
      });
      expect(Object.values(await traitsOf())).toEqual([sunset('new', today, 1_000)]);
    });
  });
}
