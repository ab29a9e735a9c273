import { defaultRetention } from '../../../../core/config/retention.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { openRecords } from '../../../../core/store/clickhouse/records.ts';
import {
  type ClickhouseCallWriter,
  openClickhouseWriter,
} from '../../../../core/store/clickhouse/writer.ts';
import { arrivalStoreContract } from '../../../store/arrival-contract.ts';
import { decisionStoreContract } from '../../../store/decision-contract.ts';
import { declarationContract } from '../../../store/declaration-contract.ts';
import { eventStoreContract } from '../../../store/event-contract.ts';
import { internalCallerContract } from '../../../store/internal-caller-contract.ts';
import { inventoryStoreContract } from '../../../store/inventory-contract.ts';
import { keyStoreContract } from '../../../store/key-contract.ts';
import { verdictStoreContract } from '../../../store/verdict-contract.ts';
import { newDatabase } from './engine.ts';

keyStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return { open: async () => (await openRecords(url)).keys(), end };
});

inventoryStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return { open: async () => (await openRecords(url)).inventories(), end };
});

decisionStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return {
    open: async () => (await openRecords(url)).decisions(),
    openKeys: async () => (await openRecords(url)).keys(),
    openReader: () => openClickhouseReader(url),
    end,
  };
});

eventStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return {
    open: async () => (await openRecords(url)).events(),
    openKeys: async () => (await openRecords(url)).keys(),
    openReader: () => openClickhouseReader(url),
    end,
  };
});

verdictStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return { open: async () => (await openRecords(url)).verdicts(), end };
});

arrivalStoreContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  return {
    open: async () => (await openRecords(url)).arrivals(),
    openEndpoints: async () => (await openRecords(url)).endpoints(),
    openKeys: async () => (await openRecords(url)).keys(),
    end,
  };
});

internalCallerContract('clickhouse', async () => {
  const { url, end } = newDatabase();
  const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  let writer: ClickhouseCallWriter;
  return {
    async openWriter(now) {
      writer = await openClickhouseWriter({ url, now, ...options });
      return writer;
    },
    compact: () => writer.compact(),
    openReader: () => openClickhouseReader(url),
    open: async () => (await openRecords(url)).internalCallers(),
    openEndpoints: async () => (await openRecords(url)).endpoints(),
    end,
  };
});

declarationContract('clickhouse', async (now) => {
  const { url, end } = newDatabase();
  const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  const writer = await openClickhouseWriter({ url, now, ...options });
  const reader = await openClickhouseReader(url);
  const inventories = (await openRecords(url)).inventories();
  return {
    writer,
    reader,
    inventories,
    async end() {
      await inventories.close();
      await reader.close();
      await writer.close();
      await end();
    },
  };
});
