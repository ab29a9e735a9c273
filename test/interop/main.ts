import { parseArgs } from 'node:util';
import { startRollcall, temporaryFolder } from '../process.ts';
import { type Stack, stacks } from './stacks.ts';
import { missing, prepare, type Toolchain } from './toolchain.ts';
import { type Doors, tryStack, type Verdict } from './trial.ts';

/**
 * `npm run interop -- [--only NAME]...`: real services of every language under their official
 * OpenTelemetry instrumentation, called in a known way, and what Rollcall reports of them. Exit code 0 when
 * everything that could be tried is exact. NAME is a stack, or a toolchain for all of its stacks.
 */
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const chosen = stacks.filter(
  ({ name, toolchain }) =>
    values.only === undefined ||
    values.only.some((only) => only === name || only === toolchain.name),
);
const log = (line: string): void => void process.stderr.write(`${line}\n`);
if (chosen.length === 0) {
  log(`no stack is called ${values.only}; there are ${stacks.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

// What somebody has set for services of their own is not for these.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('OTEL_')) delete process.env[name];
}

type Outcome = { skipped: string } | { failed: string } | { verdict: Verdict };

const folder = temporaryFolder();
const rollcall = await startRollcall(`${folder.path}/rollcall.db`);
const outcomes = new Map<Stack, Outcome>();
const prepared = new Map<Toolchain, Promise<Outcome | string>>();
try {
  const { otlp_http = '', otlp_grpc = '', analyzer = '' } = rollcall.addresses;
  for (const stack of chosen) {
    const outcome = await outcomeOf(stack, { otlp_http, otlp_grpc, analyzer });
    outcomes.set(stack, outcome);
    log(line(stack.name, outcome));
    for (const difference of differencesOf(outcome)) log(`    ${difference}`);
  }
} finally {
  await rollcall.stop();
  folder.remove();
}

const wrong = [...outcomes.values()].filter((outcome) => differencesOf(outcome).length > 0);
const skipped = [...outcomes.values()].filter((outcome) => 'skipped' in outcome);
process.stdout.write(
  [
    `${'stack'.padEnd(24)}${'expected'.padStart(9)}${'counted'.padStart(9)}  routes    clients`,
    ...[...outcomes].map(([{ name }, outcome]) => line(name, outcome)),
    `${outcomes.size - wrong.length - skipped.length} exact, ${wrong.length} not, ${skipped.length} skipped`,
    '',
  ].join('\n'),
);
process.exitCode = wrong.length === 0 ? 0 : 1;

async function outcomeOf(stack: Stack, doors: Doors): Promise<Outcome> {
  const { toolchain } = stack;
  if (!prepared.has(toolchain)) prepared.set(toolchain, ready(toolchain));
  const place = await prepared.get(toolchain)!;
  if (typeof place !== 'string') return place;
  try {
    return { verdict: await tryStack(stack, place, doors) };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

async function ready(toolchain: Toolchain): Promise<Outcome | string> {
  const skipped = await missing(toolchain);
  if (skipped !== undefined) return { skipped };
  return prepare(toolchain, log).catch((error: Error) => ({ failed: error.message }));
}

function differencesOf(outcome: Outcome): string[] {
  if ('failed' in outcome) return [outcome.failed];
  return 'verdict' in outcome ? outcome.verdict.differences : [];
}

function line(name: string, outcome: Outcome): string {
  const first = name.padEnd(24);
  if ('skipped' in outcome) return `${first}  skipped: ${outcome.skipped}`;
  if ('failed' in outcome) return `${first}  failed: ${outcome.failed.split('\n')[0]}`;
  const { expected, counted, routesExact, clientsKnown, clientsExact } = outcome.verdict;
  const counts = `${String(expected).padStart(9)}${String(counted).padStart(9)}`;
  const routes = (routesExact ? 'exact' : 'WRONG').padEnd(8);
  const share = `${clientsKnown} of ${expected} known`;
  return `${first}${counts}  ${routes}  ${share}${clientsExact ? '' : ' WRONG'}`;
}
