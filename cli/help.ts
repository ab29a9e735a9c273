import type { Variable } from '../core/config/variables.ts';
import { flagOf } from './flags.ts';

/** The text of `rollcall help`. */
export function help(variables: Record<string, Variable>): string {
  const lines = Object.entries(variables).map(([name, { fallback, meaning }]) => {
    const preset = fallback === '' ? '' : ` [${fallback}]`;
    return `  --${flagOf(name).padEnd(22)} ${meaning}${preset}`;
  });
  return `Rollcall: which endpoints of an API are alive, slow, failing or dead, and who calls them.

usage: rollcall <command> [flags]

  serve       collector and analyzer together
  collector   only the collector: OTLP in
  analyzer    only the analyzer: answers out
  demo        a made-up shop's three months, then its live traffic, on a store of its own
                --seed N   another shop of the same kind [1]
                --once     end after the history
  keys        who may send and ask, on the store itself, also while services run on it
                create --project NAME --scope ingest|read|admin
                               makes a key, and the project when there is none; prints it, this once
                list [--project NAME]
                rotate ID      another secret for a key; prints it, this once
                revoke ID      the key is refused within a second
  backup      a copy of the store in one file, also while services run on it
                --to FILE      must not exist yet
  restore     a backup takes the store's place, while no service runs on it
                --from FILE
                --replace      also when there is a store already, which is deleted
  help        this text

Every flag is also an environment variable: --otlp-http-port is ROLLCALL_OTLP_HTTP_PORT.

${lines.join('\n')}
`;
}
