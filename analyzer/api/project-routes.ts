import type { Authorizer } from '../../core/auth/authorizer.ts';
import type { Credentials } from '../../core/auth/credentials.ts';
import type { InventoryStore } from '../../core/store/inventory.ts';
import type { CallReader } from '../../core/store/store.ts';
import { checkInventory } from '../inventory/check.ts';
import { inventoryCommands } from '../inventory/commands.ts';
import { InventoryReader } from '../inventory/reader.ts';
import type { QueryContext } from '../query/answer-head.ts';
import { readParameters } from '../query/parameters.ts';
import type { ProjectCommand } from '../query/project-command.ts';
import { sendAnswer } from './answer.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { readText } from './json-body.ts';

/** All commands in a project below /api/v1, those of tenancy excepted. */
export const projectCommands: readonly ProjectCommand[] = [...inventoryCommands, checkInventory];

export interface ProjectRoutesOptions {
  gate: Authorizer;
  credentials: (request: ApiRequest) => Credentials;
  /** @throws AppError `unavailable` */
  inventories: () => Promise<InventoryStore>;
  reader: CallReader;
  /** The rest of a query's context. */
  context: (project: string) => Omit<QueryContext, 'snapshot' | 'newestCallMs'>;
}

type Handlers = Partial<Record<ProjectCommand['method'], Handler>>;

/** Handlers by path and method. The sender's authority is checked before anything is read. */
export function projectHandlers(options: ProjectRoutesOptions): Map<string, Handlers> {
  const uploads = new InventoryReader();
  const byPath = new Map<string, Handlers>();
  for (const command of projectCommands) {
    const handlers = byPath.get(command.path) ?? {};
    byPath.set(command.path, {
      ...handlers,
      [command.method]: handlerOf(command, options, uploads),
    });
  }
  return byPath;
}

function handlerOf(
  command: ProjectCommand,
  { gate, credentials, inventories, reader, context }: ProjectRoutesOptions,
  uploads: InventoryReader,
): Handler {
  return async (request, response) => {
    const project = await gate.project(credentials(request), command.action);
    const search = (request.url ?? '').replace(/^[^?]*/, '');
    const parameters = readParameters(command.parameters, search);
    const body = command.body ? await readText(request, command.body.bytesMax) : '';
    const known = context(project);
    const answer = await command.run({
      project,
      inventories: await inventories(),
      ask: (ask) =>
        reader.snapshot(project, async (snapshot) =>
          ask({ ...known, snapshot, newestCallMs: await snapshot.newestCallMs() }),
        ),
      readInventory: (text) => uploads.read(text),
      nowMs: known.nowMs,
      parameters: parameters as never,
      path: request.params,
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
