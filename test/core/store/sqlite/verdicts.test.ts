import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../../core/store/sqlite/open.ts';
import { openSqliteVerdicts } from '../../../../core/store/sqlite/verdicts.ts';
import { verdictStoreContract } from '../../../store/verdict-contract.ts';

verdictStoreContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-verdicts-'));
  return {
    open: () => openSqliteVerdicts(join(folder, 'rollcall.db')),
    end: () => rm(folder, { recursive: true }),
  };
});

it('a project keeps 10,000 evidences, the latest ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-verdicts-'));
  const path = join(folder, 'rollcall.db');
  const store = await openSqliteVerdicts(path);
  await store.keepEvidence('default', { endpoint: '1', asOfMs: 0, body: '{}' });
  const db = openDatabase(path, 'write');
  db.exec(`
    WITH RECURSIVE moment(ms) AS (SELECT 1 UNION ALL SELECT ms + 1 FROM moment WHERE ms < 9999)
    INSERT INTO evidence (project_id, endpoint, as_of_ms, body)
      SELECT project_id, endpoint, ms, body FROM evidence, moment WHERE as_of_ms = 0
  `);
  db.close();
  expect(await store.evidence('default', '1', 0)).toBeDefined();
  await store.keepEvidence('default', { endpoint: '2', asOfMs: 5, body: '{}' });
  expect(await store.evidence('default', '1', 0)).toBeUndefined();
  expect(await store.evidence('default', '1', 1)).toBeDefined();
  await store.close();
  await rm(folder, { recursive: true });
});
