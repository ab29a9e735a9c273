import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type VariableName, variables } from '../core/config/variables.ts';

/** A wrong command line: an unknown command or flag, or a flag without a value. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `--otlp-http-port` for ROLLCALL_OTLP_HTTP_PORT. */
export function flagOf(variable: string): string {
  return variable.replace('ROLLCALL_', '').toLowerCase().replaceAll('_', '-');
}

/**
 * Reads flags: one for each configuration variable, and the command's own.
 * @returns `env` holds the given variables; they override the environment
 * @throws UsageError
 */
export function readFlags<T extends ParseArgsOptionsConfig>(
  args: string[],
  own?: T,
): { env: NodeJS.ProcessEnv; own: Record<string, string | boolean | undefined> } {
  const names = Object.keys(variables) as VariableName[];
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
