import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startRollcall, temporaryFolder } from '../../support/process.ts';
import { declarations, tryDeclaration } from './inventory.ts';
import { otelcol, relays, tryRelay } from './relay.ts';
import { stacks } from './stacks.ts';
import { missing, prepare, type Toolchain } from './toolchain.ts';
import { type Listeners, tryStack, type Verdict } from './trial.ts';

/**
 * `npm run interop -- [--only NAME]... [--otelcol PATH]`: real services of every language under their
 * official OpenTelemetry instrumentation, called in a known way, and what Rollcall reports of them. Exit
 * code 0 when everything that could be tried is exact, 1 when not. NAME is a stack, or a toolchain for all
 * of its stacks; PATH an OpenTelemetry Collector, which is built otherwise.
 */
const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, otelcol: { type: 'string' } },
});

interface Trial {
  name: string;
  toolchain: Toolchain;
  /** @param folder the toolchain's, prepared */
  run(folder: string, doors: Listeners): Promise<Verdict>;
}

const log = (line: string): void => void process.stderr.write(`${line}\n`);
const given = values.otelcol ?? process.env.OTELCOL;
const own = fileURLToPath(new URL('otelcol', import.meta.url));
const trials: readonly Trial[] = [
  ...stacks.map((stack) => ({
    name: stack.name,
    toolchain: stack.toolchain,
    run: (folder: string, doors: Listeners) => tryStack(stack, folder, doors),
  })),
  ...declarations.map((declaration) => ({
    name: declaration.name,
    toolchain: stacks.find(({ name }) => name === declaration.stack)!.toolchain,
    run: (folder: string) => tryDeclaration(declaration, folder),
  })),
  ...relays.map((relay) => ({
    name: relay.name,
    // A program that is there needs nothing that builds it.
    toolchain:
      given === undefined ? otelcol : { ...otelcol, needs: [[given, '--version']], build: [] },
    run: (folder: string) => tryRelay(relay, given ?? `${folder}/dist/otelcol`, own, log),
  })),
];

type Outcome = { skipped: string } | { failed: string } | { verdict: Verdict };

// What somebody has set for services of their own is not for these.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('OTEL_')) delete process.env[name];
}
const { only } = values;
const chosen = trials.filter(({ name, toolchain }) => {
  return only === undefined || only.includes(name) || only.includes(toolchain.name);
});
if (chosen.length === 0) {
  log(`no stack is called ${only}; there are ${trials.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const prepared = new Map<string, Promise<Outcome | string>>();
const outcomes = await outcomesOf(chosen);
const wrong = [...outcomes.values()].filter((outcome) => differencesOf(outcome).length > 0);
const skipped = [...outcomes.values()].filter((outcome) => 'skipped' in outcome);
const table = [
  `${'stack'.padEnd(34)}${'expected'.padStart(9)}${'counted'.padStart(9)}  routes  clients`,
  ...[...outcomes].map(([name, outcome]) => lineOf(name, outcome)),
  `${outcomes.size - wrong.length - skipped.length} exact, ${wrong.length} not, ${skipped.length} skipped`,
];
// A trial that failed may have left a sender waiting for nobody.
process.stdout.write(`${table.join('\n')}\n`, () => process.exit(wrong.length === 0 ? 0 : 1));

async function outcomesOf(all: readonly Trial[]): Promise<Map<string, Outcome>> {
  const folder = temporaryFolder();
  const rollcall = await startRollcall(`${folder.path}/rollcall.db`);
  const { otlp_http = '', otlp_grpc = '', analyzer = '' } = rollcall.addresses;
  const found = new Map<string, Outcome>();
  try {
    for (const trial of all) {
      const outcome = await outcomeOf(trial, { otlp_http, otlp_grpc, analyzer });
      found.set(trial.name, outcome);
      log(lineOf(trial.name, outcome));
      for (const difference of differencesOf(outcome)) log(`    ${difference}`);
    }
  } finally {
    await rollcall.stop();
    folder.remove();
  }
  return found;
}

async function outcomeOf({ toolchain, run }: Trial, doors: Listeners): Promise<Outcome> {
  if (!prepared.has(toolchain.name)) prepared.set(toolchain.name, ready(toolchain));
  const place = await prepared.get(toolchain.name)!;
  if (typeof place !== 'string') return place;
  try {
    return { verdict: await run(place, doors) };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

async function ready(toolchain: Toolchain): Promise<Outcome | string> {
  const why = await missing(toolchain);
  if (why !== undefined) return { skipped: why };
  return prepare(toolchain, log).catch((error: Error) => ({ failed: error.message }));
}

function differencesOf(outcome: Outcome): string[] {
  if ('failed' in outcome) return [outcome.failed];
  return 'verdict' in outcome ? outcome.verdict.differences : [];
}

function lineOf(name: string, outcome: Outcome): string {
  const first = name.padEnd(34);
  if ('skipped' in outcome) return `${first}  skipped: ${outcome.skipped}`;
  if ('failed' in outcome) return `${first}  failed: ${outcome.failed.split('\n')[0]}`;
  const { expected, counted, routesExact, clientsKnown, clientsExact } = outcome.verdict;
  const counts = `${String(expected).padStart(9)}${String(counted).padStart(9)}`;
  const routes = routesExact ? 'exact' : 'WRONG';
  const known = clientsKnown === undefined ? '-' : `${clientsKnown} of ${expected} known`;
  const clients = `${known}${clientsExact ? '' : ', WRONG'}`;
  return `${first}${counts}  ${routes}   ${clients}`;
}
