import { variables } from '../core/config/variables.ts';
import { asAppError } from '../core/error.ts';
import { exitCode } from '../core/process.ts';
import { version } from '../core/version.ts';
import { backup, restore } from './backup.ts';
import { calls } from './calls.ts';
import { consumers } from './consumers.ts';
import { copy } from './copy/main.ts';
import { decisions } from './decisions.ts';
import { demo } from './demo/main.ts';
import { doctor } from './doctor/main.ts';
import { events } from './events.ts';
import { readFlags, UsageError } from './flags.ts';
import { forget } from './forget.ts';
import { gate } from './gate/main.ts';
import { help } from './help.ts';
import { inventory } from './inventory.ts';
import { keys } from './keys.ts';
import { type ServiceName, startServices } from './services.ts';
import { sql } from './sql.ts';
import { checkStore } from './store-check.ts';

/**
 * The command line.
 * @param args without node and script
 * @returns the exit code: 0 success, 1 failure, 2 wrong command line, 3 findings of a check
 */
export async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command = '', ...rest] = args;
  try {
    if (args.includes('--help') || args.includes('-h')) {
      process.stdout.write(help(variables));
      return exitCode.ok;
    }
    switch (command) {
      case 'serve':
        return await serve(['collector', 'analyzer'], rest, env);
      case 'collector':
      case 'analyzer':
        return await serve([command], rest, env);
      case 'demo':
        return await demo(rest, env);
      case 'calls':
        return await calls(rest, env);
      case 'keys':
        return await keys(rest, env);
      case 'consumers':
        return await consumers(rest, env);
      case 'doctor':
        return await doctor(rest, env);
      case 'events':
        return await events(rest, env);
      case 'inventory':
        return await inventory(rest, env);
      case 'decisions':
        return await decisions(rest, env);
      case 'forget':
        return await forget(rest, env);
      case 'check':
        return isGate(rest) ? await gate(rest, env) : await checkStore(rest, env);
      case 'sql':
        return await sql(rest, env);
      case 'copy':
        return await copy(rest, env);
      case 'backup':
        return await backup(rest, env);
      case 'restore':
        return await restore(rest, env);
      case 'help':
        process.stdout.write(help(variables));
        return exitCode.ok;
      case 'version':
      case '--version':
        process.stdout.write(`${version}\n`);
        return exitCode.ok;
      case '':
        throw new UsageError('no command given');
      default:
        throw new UsageError(`no command "${command}"`);
    }
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`rollcall: ${error.message}; see rollcall help\n`);
      return exitCode.usage;
    }
    const known = asAppError(error);
    const text = known.code === 'internal' ? String((error as Error).stack) : known.message;
    process.stderr.write(`rollcall: ${text}\n`);
    return exitCode.failed;
  }
}

/** A specification or its service is named: it is to be judged. Else the store is to be read. */
function isGate(args: readonly string[]): boolean {
  return args.some((arg) => /^--(service|spec|base-spec|url|fail-on|baseline)\b/.test(arg));
}

/** Runs services until one of them ends or a signal arrives. */
async function serve(
  names: ServiceName[],
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const services = await startServices(names, { ...env, ...readFlags(args).env });
  const stop = () => services.stop();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A closed terminal. Without a handler this process would be killed before its children have ended.
  process.on('SIGHUP', stop);
  return await services.ended;
}
