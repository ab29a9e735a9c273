import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { exitCode } from '../../core/process.ts';
import { apiUrl, print, readDocument, remark, request } from '../analyzer.ts';
import { readFlags, UsageError } from '../flags.ts';
import { readBaseline, writeBaseline } from './baseline.ts';
import { type Kind, kindNames, type Outcome } from './finding.ts';
import { findingsOf } from './findings.ts';
import { type FormatName, formatNames, formats, shownPath } from './formats.ts';
import { counted, operationsOf, type Row } from './operation.ts';
import { removalsOf } from './removals.ts';
import { SpecLines } from './spec-lines.ts';

const flags = {
  service: { type: 'string' },
  environment: { type: 'string' },
  spec: { type: 'string' },
  'base-spec': { type: 'string' },
  prefix: { type: 'string' },
  'fail-on': { type: 'string' },
  'min-confidence': { type: 'string' },
  window: { type: 'string' },
  baseline: { type: 'string' },
  'write-baseline': { type: 'boolean' },
  format: { type: 'string' },
  url: { type: 'string' },
} as const;

/**
 * `rollcall check --service … --spec …`: the gate of a service's API in CI. It asks an analyzer what the
 * specification and its change mean for the calls that were seen, and fails on the kinds of findings that it is told.
 * @returns the exit code: 0 nothing that fails, 1 not judged, 2 wrong command line, 3 findings
 */
export async function gate(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: variables, own } = readFlags(args, flags);
  const options = optionsOf(own);
  const { service, spec, baseSpec, format, baseline, failOn } = options;
  const text = await readDocument(spec);
  const analyzer = new Analyzer(own.url, { ...env, ...variables }, options);
  const next = operationsOf(await analyzer.check(text));
  const base = operationsOf(
    baseSpec === undefined
      ? await analyzer.stored()
      : await analyzer.check(await readDocument(baseSpec)),
  );
  const removals = removalsOf(base, next, { ...options, nowMs: Date.now() });
  const { findings, notes } = findingsOf(service, next, removals, options);
  if (options.writesBaseline) {
    const kept = findings.filter(({ kind }) => failOn.includes(kind));
    await writeBaseline(baseline!, kept);
    remark(`"${baseline}" has ${counted(kept.length, 'finding')}`);
    return exitCode.ok;
  }
  const known = baseline === undefined ? new Set<string>() : await readBaseline(baseline);
  const lines = new SpecLines(text.toString());
  const judged = findings.map((finding) => {
    const isKnown = known.has(finding.fingerprint);
    const fails = !isKnown && failOn.includes(finding.kind);
    return { ...finding, line: lines.of(finding.method, finding.route), isKnown, fails };
  });
  const outcome: Outcome = {
    service,
    environment: options.environment ?? null,
    spec: shownPath(resolve(spec)),
    failOn,
    minConfidence: options.minConfidence,
    window: options.window,
    operations: next.size,
    findings: judged,
    removals: removals.map(({ method, route, verdict, message }) => ({
      method,
      route,
      verdict,
      message,
    })),
    notes: [...analyzer.notes, ...notes],
    failed: judged.some(({ fails }) => fails),
  };
  print(formats[format](outcome));
  for (const note of outcome.notes) remark(`note: ${note}`);
  const failing = judged.filter(({ fails }) => fails).length;
  remark(
    `${counted(next.size, 'operation')} of ${service}, ${counted(judged.length, 'finding')}: ${failing === 0 ? 'passes' : `fails on ${failing}`}`,
  );
  return outcome.failed ? exitCode.findings : exitCode.ok;
}

interface Options {
  service: string;
  environment: string | undefined;
  prefix: string | undefined;
  spec: string;
  baseSpec: string | undefined;
  failOn: Kind[];
  minConfidence: number;
  /** `7d`, and for people. */
  windowParameter: string;
  window: string;
  baseline: string | undefined;
  writesBaseline: boolean;
  format: FormatName;
}

/** @throws UsageError */
function optionsOf(own: Record<string, string | boolean | undefined>): Options {
  const text = (name: keyof typeof flags): string | undefined =>
    own[name] === undefined ? undefined : String(own[name]);
  const service = text('service');
  const spec = text('spec');
  if (service === undefined) throw new UsageError('check needs --service NAME');
  if (spec === undefined) throw new UsageError('check needs --spec FILE');
  const baseline = text('baseline');
  const writesBaseline = own['write-baseline'] === true;
  if (writesBaseline && baseline === undefined) {
    throw new UsageError('--write-baseline needs --baseline FILE');
  }
  const windowParameter = text('window') ?? '7d';
  const confidence = text('min-confidence') ?? '0.9';
  if (!/^(0(\.\d+)?|1(\.0+)?)$/.test(confidence)) {
    throw new UsageError(`--min-confidence "${confidence}" must be a number from 0 to 1`);
  }
  return {
    service,
    environment: text('environment'),
    prefix: text('prefix'),
    spec,
    baseSpec: text('base-spec'),
    failOn: kindsOf(text('fail-on') ?? 'breaking,removal-before-deprecation'),
    minConfidence: Number(confidence),
    windowParameter,
    window: windowText(windowParameter),
    baseline,
    writesBaseline,
    format: oneOf('format', text('format') ?? 'table', formatNames),
  };
}

function kindsOf(text: string): Kind[] {
  return text === 'none' ? [] : text.split(',').map((name) => oneOf('fail-on', name, kindNames));
}

function oneOf<T extends string>(flag: string, given: string, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UsageError(`--${flag} "${given}" must be of ${known.join(', ')}`);
}

const windowUnits = { m: 'minute', h: 'hour', d: 'day' } as const;

/** `7 days`. The analyzer checks the bound. */
function windowText(parameter: string): string {
  const [, number, unit] = /^([1-9]\d{0,6})([mhd])$/.exec(parameter) ?? [];
  if (number === undefined)
    throw new UsageError(`--window "${parameter}" must be such as 24h or 7d`);
  return counted(Number(number), windowUnits[unit as keyof typeof windowUnits]);
}

/** What is asked of the REST API. */
class Analyzer {
  readonly notes: string[] = [];
  readonly #url: string | boolean | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #options: Options;

  constructor(url: string | boolean | undefined, env: NodeJS.ProcessEnv, options: Options) {
    this.#url = url;
    this.#env = env;
    this.#options = options;
  }

  /** The service's endpoints as if the document were its inventory. */
  async check(document: Buffer<ArrayBuffer>): Promise<Row[]> {
    const { service, prefix } = this.#options;
    const url = this.#ask(`services/${encodeURIComponent(service)}/check`);
    if (prefix !== undefined) url.searchParams.set('prefix', prefix);
    const text = await request(url, this.#env, { method: 'POST', body: document });
    const answer = rowsOf<{ left_out: string[] }>(text);
    this.notes.push(...answer.left_out);
    return answer.endpoints;
  }

  /** The service's endpoints by the inventory that the analyzer has. */
  async stored(): Promise<Row[]> {
    const url = this.#ask('report');
    url.searchParams.set('service', this.#options.service);
    url.searchParams.set('limit', String(limits.listRows));
    const rows: Row[] = [];
    for (;;) {
      const answer = rowsOf<{ next_cursor: string | null }>(await request(url, this.#env));
      rows.push(...answer.endpoints);
      if (answer.next_cursor === null) return rows;
      url.searchParams.set('cursor', answer.next_cursor);
    }
  }

  #ask(path: string): URL {
    const { environment, windowParameter } = this.#options;
    const url = apiUrl(this.#url, this.#env, path);
    url.searchParams.set('window', windowParameter);
    if (environment !== undefined) url.searchParams.set('environment', environment);
    return url;
  }
}

function rowsOf<T>(text: string): T & { endpoints: Row[] } {
  const answer = JSON.parse(text) as T & { endpoints?: Row[] };
  if (answer.endpoints !== undefined) return { ...answer, endpoints: answer.endpoints };
  throw new AppError('invalid', 'the answer of the analyzer holds no endpoints: is it older?');
}
