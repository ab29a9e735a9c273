import type { Authorizer } from '../../core/auth/authorizer.ts';
import type { Credentials } from '../../core/auth/credentials.ts';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { ByteBudget } from '../../core/server/byte-budget.ts';
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
  /** Bytes of bodies that came and are not read yet. */
  commandBytes: number;
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
  const bodies = new ByteBudget(options.commandBytes);
  const byPath = new Map<string, Handlers>();
  for (const command of projectCommands) {
    const handlers = byPath.get(command.path) ?? {};
    byPath.set(command.path, {
      ...handlers,
      [command.method]: handlerOf(command, options, places, bodies),
    });
  }
  return byPath;
}

function handlerOf(
  command: ProjectCommand,
  { authorizer, credentials, answerer, now }: ProjectRoutesOptions,
  places: CommandPlaces,
  bodies: ByteBudget,
): Handler {
  return async (request, response) => {
    const project = await authorizer.project(credentials(request), command.action);
    const search = (request.url ?? '').replace(/^[^?]*/, '');
    const parameters = readParameters(command.parameters, search);
    const { socket, params: path } = request;
    const sender = { connection: socket, address: socket.remoteAddress ?? '', project };
    const share = bodies.admit(sender);
    const answered = (async () => {
      // Before a place is taken: a body that comes slowly delays no other command.
      const body = command.body ? await readText(request, command.body.bytesMax, share) : '';
      const { name } = command;
      return places.take(project, () =>
        answerer.command({ project, name, parameters, path, nowMs: now(), body }),
      );
    })();
    const answer = await answered.finally(() => share.release());
    if (answer === undefined) {
      response.writeHead(command.status);
      response.end();
      return;
    }
    await sendAnswer(request, response, command.status, answer);
  };
}

/** Bounds the commands that are under way, in all and of one project. */
class CommandPlaces {
  #taken = 0;
  readonly #ofProject = new Map<string, number>();

  /** @throws AppError `overloaded` */
  async take<T>(project: string, run: () => Promise<T>): Promise<T> {
    const own = this.#ofProject.get(project) ?? 0;
    check(this.#taken, limits.commandsAtOnce, '');
    check(own, limits.commandsAtOncePerProject, ' of this project');
    this.#taken += 1;
    this.#ofProject.set(project, own + 1);
    try {
      return await run();
    } finally {
      this.#taken -= 1;
      const left = this.#ofProject.get(project)! - 1;
      if (left === 0) this.#ofProject.delete(project);
      else this.#ofProject.set(project, left);
    }
  }
}

function check(taken: number, most: number, whose: string): void {
  if (taken < most) return;
  const message = `${taken} commands${whose} are under way; at most ${most} may`;
  throw new AppError('overloaded', message);
}
