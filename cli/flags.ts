import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type Variable, type VariableName, variables } from '../core/config/variables.ts';

/** A wrong command line: an unknown command or flag, or a flag without a value. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `--otlp-http-port` for ROLLCALL_OTLP_HTTP_PORT. */
export function flagOf(variable: string): string {
  return variable.replace('ROLLCALL_', '').toLowerCase().replaceAll('_', '-');
}

/** Its whole value is a secret: it comes by the environment alone. */
export function isSecret(name: VariableName): boolean {
  const { secret }: Variable<never> = variables[name] as Variable<never>;
  return secret === 'whole';
}

/**
 * Reads flags: one for each configuration variable that is no secret, and the command's own.
 * @returns `env` holds the given variables; they override the environment
 * @throws UsageError
 */
export function readFlags<T extends ParseArgsOptionsConfig>(
  args: string[],
  own?: T,
): { env: NodeJS.ProcessEnv; own: Record<string, string | boolean | undefined> } {
  const all = Object.keys(variables) as VariableName[];
  // Every user of the host can read a command line.
  const secrets = all.filter((name) => isSecret(name));
  const given = secrets.find((name) =>
    args.some((arg) => arg.split('=')[0] === `--${flagOf(name)}`),
  );
  if (given !== undefined) {
    throw new UsageError(`--${flagOf(given)} is not taken on a command line: set ${given}`);
  }
  const names = all.filter((name) => !isSecret(name));
  const options: ParseArgsOptionsConfig = { ...own };
  for (const name of names) options[flagOf(name)] = { type: 'string' };
  const values = parse(args, options);
  const env: NodeJS.ProcessEnv = {};
  for (const name of names) {
    const value = values[flagOf(name)];
    if (typeof value === 'string') env[name] = value;
    delete values[flagOf(name)];
  }
  return { env, own: values };
}

function parse(
  args: string[],
  options: ParseArgsOptionsConfig,
): Record<string, string | boolean | undefined> {
  try {
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false });
    return { ...(values as Record<string, string | boolean | undefined>) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    throw new UsageError(message.replace(/\.$/, ''), { cause: error });
  }
}
