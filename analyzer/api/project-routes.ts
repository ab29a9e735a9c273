import type { Authorizer } from '../../core/auth/authorizer.ts';
import type { Credentials } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { readParameters } from '../query/parameters.ts';
import type { ProjectCommand } from '../query/project-command.ts';
import type { Answerer } from '../queue/answerer.ts';
import { sendAnswer } from './answer.ts';
import type { ApiRequest, Handler } from './handler.ts';
import { readText } from './json-body.ts';
import { projectCommands } from './project-commands.ts';

export interface ProjectRoutesOptions {
  authorizer: Authorizer;
  credentials: (request: ApiRequest) => Credentials;
  answerer: Answerer;
  /** Milliseconds since the epoch. */
  now: () => number;
}

type Handlers = Partial<Record<ProjectCommand['method'], Handler>>;

/**
 * Handlers by path and method. The sender's authority is checked before anything is read. The answering thread runs
 * the commands, beside the queue of queries: a command waits for other things than the thread's CPU.
 */
export function projectHandlers(options: ProjectRoutesOptions): Map<string, Handlers> {
  const places = new CommandPlaces();
  const byPath = new Map<string, Handlers>();
  for (const command of projectCommands) {
    const handlers = byPath.get(command.path) ?? {};
    byPath.set(command.path, {
      ...handlers,
      [command.method]: handlerOf(command, options, places),
    });
  }
  return byPath;
}

function handlerOf(
  command: ProjectCommand,
  { authorizer, credentials, answerer, now }: ProjectRoutesOptions,
  places: CommandPlaces,
): Handler {
  return async (request, response) => {
    const project = await authorizer.project(credentials(request), command.action);
    const search = (request.url ?? '').replace(/^[^?]*/, '');
    const parameters = readParameters(command.parameters, search);
    const answer = await places.take(async () => {
      const body = command.body ? await readText(request, command.body.bytesMax) : '';
      const { name } = command;
      const path = request.params;
      return answerer.command({ project, name, parameters, path, nowMs: now(), body });
    });
    if (answer === undefined) {
      response.writeHead(command.status);
      response.end();
      return;
    }
    await sendAnswer(request, response, command.status, answer);
  };
}

/** Bounds the commands that are under way. */
class CommandPlaces {
  #taken = 0;

  /** @throws AppError `overloaded` */
  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#taken >= limits.commandsAtOnce) {
      const message = `${this.#taken} commands are under way; at most ${limits.commandsAtOnce} may`;
      throw new AppError('overloaded', message);
    }
    this.#taken += 1;
    try {
      return await run();
    } finally {
      this.#taken -= 1;
    }
  }
}
