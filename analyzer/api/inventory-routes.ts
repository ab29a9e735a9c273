import type { Authorizer } from '../../core/auth/authorizer.ts';
import type { Credentials } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { InventoryStore } from '../../core/store/inventory.ts';
import type { CallReader } from '../../core/store/store.ts';
import type { InventoryCommand } from '../inventory/command.ts';
import { inventoryCommands } from '../inventory/commands.ts';
import { InventoryReader } from '../inventory/reader.ts';
import { readParameters } from '../query/parameters.ts';
import { sendAnswer } from './answer.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { readText } from './json-body.ts';

export interface InventoryRoutesOptions {
  gate: Authorizer;
  credentials: (request: ApiRequest) => Credentials;
  /** @throws AppError `unavailable` */
  inventories: () => Promise<InventoryStore>;
  calls: CallReader;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Handlers of a service's inventory by method. The sender's authority is checked before anything is read. */
export function inventoryHandlers(
  options: InventoryRoutesOptions,
): Record<InventoryCommand['method'], Handler> {
  const uploads = new InventoryReader();
  const handlers = inventoryCommands.map(
    (command) => [command.method, inventoryHandler(command, options, uploads)] as const,
  );
  return Object.fromEntries(handlers) as Record<InventoryCommand['method'], Handler>;
}

function inventoryHandler(
  command: InventoryCommand,
  { gate, credentials, inventories, calls, now }: InventoryRoutesOptions,
  uploads: InventoryReader,
): Handler {
  return async (request, response) => {
    const project = await gate.project(credentials(request), command.action);
    const search = (request.url ?? '').replace(/^[^?]*/, '');
    const parameters = readParameters(command.parameters, search);
    const place = {
      service: serviceOf(request.params.service),
      environment: (parameters as { environment?: string }).environment ?? null,
    };
    const body = command.takesBody ? await readText(request, limits.inventoryBytes) : '';
    const answer = await command.run({
      project,
      inventories: await inventories(),
      calls,
      uploads,
      nowMs: now(),
      parameters: parameters as never,
      place,
      body,
    });
    if (answer === undefined) {
      response.writeHead(command.status);
      response.end();
      return;
    }
    await sendAnswer(request, response, command.status, answer, { ...command, format: 'json' });
  };
}

function serviceOf(text = ''): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= limits.serviceNameBytes) return text;
  const message = `the service's name has ${bytes} bytes; it has 1 to ${limits.serviceNameBytes}`;
  throw new AppError('invalid', message, { field: 'service' });
}
