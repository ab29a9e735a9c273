import { variables } from '../core/config/variables.ts';
import { asAppError } from '../core/error.ts';
import { backup, restore } from './backup.ts';
import { demo } from './demo/main.ts';
import { readFlags, UsageError } from './flags.ts';
import { help } from './help.ts';
import { keys } from './keys.ts';
import { type ServiceName, startServices } from './services.ts';

/** Exit codes: what the shell's own tools use for "you asked for something that does not exist". */
const usageExit = 2;

/**
 * The command line.
 * @param args without node and script
 * @returns the exit code: 0 ended as asked, 1 something is wrong, 2 the command line is wrong
 */
export async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command = '', ...rest] = args;
  try {
    switch (command) {
      case 'serve':
        return await serve(['collector', 'analyzer'], rest, env);
      case 'collector':
      case 'analyzer':
        return await serve([command], rest, env);
      case 'demo':
        return await demo(rest, env);
      case 'keys':
        return await keys(rest, env);
      case 'backup':
        return await backup(rest, env);
      case 'restore':
        return await restore(rest, env);
      case 'help':
      case '--help':
      case '-h':
        process.stdout.write(help(variables));
        return 0;
      case '':
        throw new UsageError('no command given');
      default:
        throw new UsageError(`no command "${command}"`);
    }
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`rollcall: ${error.message}; see rollcall help\n`);
      return usageExit;
    }
    const known = asAppError(error);
    const text = known.code === 'internal' ? String((error as Error).stack) : known.message;
    process.stderr.write(`rollcall: ${text}\n`);
    return 1;
  }
}

/** Runs services until one ends or a signal asks them to. */
async function serve(
  names: ServiceName[],
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const services = await startServices(names, { ...env, ...readFlags(args).env });
  const stop = () => services.stop();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A closed terminal: without this the parent would die of it and leave the end to chance.
  process.on('SIGHUP', stop);
  return await services.ended;
}
