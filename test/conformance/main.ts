import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { exchange } from './exchange.ts';
import { OwnTargets } from './own-targets.ts';
import { requirements } from './requirements.ts';
import type { Setup, Target } from './target.ts';
import { judge, line, together, type Verdict } from './verdict.ts';

/**
 * `npm run conformance -- [--http URL --grpc HOST:PORT] [--max-body-mib 64] [--only E7,G2] [--cases]`: the
 * list against any server, or without an address against a Rollcall of its own. One line an id, exit code
 * 0 when no id differs.
 */
const { values } = parseArgs({
  options: {
    http: { type: 'string' },
    grpc: { type: 'string' },
    'max-body-mib': { type: 'string', default: '64' },
    only: { type: 'string' },
    cases: { type: 'boolean', default: false },
  },
});

const own = new OwnTargets();
const foreign: Target | undefined = values.http
  ? {
      httpUrl: values.http.replace(/\/$/, ''),
      grpcAddress: values.grpc,
      bodyBytesMax: Number(values['max-body-mib']) * 2 ** 20,
      inside: undefined,
    }
  : undefined;
if (foreign !== undefined) {
  // Without this a wrong address would be told as seventy differences.
  await exchange(foreign.httpUrl, '').catch((error: Error) => {
    process.stderr.write(`nothing answers on ${foreign.httpUrl}: ${error.message}\n`);
    process.exit(2);
  });
}
const setups: Setup[] = foreign ? ['plain', 'small'] : ['plain', 'small', 'keys', 'tls', 'cors'];
const only = values.only?.split(',');

const all = Object.values(cases).flat();
const counts = { pass: 0, differs: 0, skipped: 0 };
for (const [id] of requirements) {
  if (only !== undefined && !only.includes(id)) continue;
  const verdicts: Verdict[] = [];
  for (const each of all.filter((one) => one.id === id)) {
    const target = async (setup: Setup) => foreign ?? (await own.target(setup));
    const verdict = await judge(each, target, setups);
    verdicts.push(verdict);
    if (values.cases) say(`  ${id} ${each.name}: ${verdict.is}`);
  }
  const verdict = together(verdicts);
  counts[verdict.is] += 1;
  say(line(id, verdict, verdicts));
}
say(`${counts.pass} pass, ${counts.differs} differ, ${counts.skipped} skipped`);
await own.close();
// A server that hangs leaves connections behind.
process.exit(counts.differs === 0 ? 0 : 1);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
