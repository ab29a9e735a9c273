import type { z } from 'zod';
import type { InventoryPlace, InventoryStore } from '../../core/store/inventory.ts';
import type { CallReader } from '../../core/store/store.ts';
import type { InventoryReader } from './reader.ts';

/**
 * A command on a service's inventory: its address, its input and its answer. The REST listener and the OpenAPI
 * document are both made from the list of commands (analyzer/inventory/commands.ts).
 */
export interface InventoryCommand {
  /** The operation id. */
  name: string;
  method: 'GET' | 'PUT' | 'DELETE';
  about: string;
  /** What a key must be for: `declare` is for keys of scope ingest and admin. */
  action: 'declare' | 'read';
  parameters: z.ZodObject<z.ZodRawShape>;
  /** The request has a body, which `body` holds as text. */
  takesBody: boolean;
  /** Of the success. */
  status: 200 | 204;
  schema?: z.ZodObject<z.ZodRawShape>;
  run(context: InventoryContext<never>): Promise<object | undefined>;
}

/** Below /api/v1, in Express's spelling. */
export const inventoryPath = '/services/:service/inventory';

export interface InventoryContext<P> {
  project: string;
  inventories: InventoryStore;
  calls: CallReader;
  uploads: InventoryReader;
  nowMs: number;
  parameters: P;
  place: InventoryPlace;
  body: string;
}

/** Checks a command's types against its schemas, then erases them: the list of commands holds them all. */
export function defineInventoryCommand<P extends z.ZodRawShape, A extends z.ZodObject>(
  definition: Omit<InventoryCommand, 'parameters' | 'schema' | 'run'> & {
    parameters: z.ZodObject<P>;
    schema?: A;
    run(context: InventoryContext<z.output<z.ZodObject<P>>>): Promise<z.output<A> | undefined>;
  },
): InventoryCommand {
  return definition as unknown as InventoryCommand;
}
