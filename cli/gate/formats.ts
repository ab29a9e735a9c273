import { relative } from 'node:path';
import { version } from '../../core/version.ts';
import { textTable } from '../table.ts';
import { type Finding, kindNames, kinds, type Outcome } from './finding.ts';
import { githubComment } from './github-comment.ts';
import { junit } from './junit.ts';

/** Forms of an outcome by the name of `--format`. */
export const formats = {
  table,
  github,
  'github-comment': githubComment,
  gitlab,
  junit,
  sarif,
  json,
} as const satisfies Record<string, (outcome: Outcome) => string>;

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];

function table({ findings, removals }: Outcome): string {
  const rows = [
    ...removals.map(({ verdict, method, route, message }) => [
      verdict === 'safe' ? 'ok' : 'removed',
      'removal',
      method,
      route,
      message,
    ]),
    ...findings.map(({ kind, method, route, message, ...rest }) => [
      stateOf(rest),
      kind,
      method,
      route,
      message,
    ]),
  ];
  if (rows.length === 0) return 'nothing was found';
  return textTable(['STATE', 'KIND', 'METHOD', 'ROUTE', 'WHY'], rows);
}

const stateOf = ({ fails, isKnown }: Pick<Finding, 'fails' | 'isKnown'>): string =>
  fails ? 'FAIL' : isKnown ? 'known' : 'note';

/** Workflow commands, which GitHub shows as annotations of the changed lines. */
function github({ findings, spec }: Outcome): string {
  const lines = findings
    .filter(({ isKnown }) => !isKnown)
    .map(({ kind, method, route, message, line, fails }) => {
      const level = fails ? 'error' : 'notice';
      const place = `file=${property(spec)},line=${line},title=${property(`rollcall: ${kind}`)}`;
      return `::${level} ${place}::${escaped(`${method} ${route}: ${message}`)}`;
    });
  return lines.join('\n');
}

const escaped = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string =>
  escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** A Code Quality report: the merge request's widget shows new ones. */
function gitlab({ findings, spec }: Outcome): string {
  const issues = findings.map(({ kind, method, route, message, line, fingerprint, fails }) => ({
    description: `${method} ${route}: ${message}`,
    check_name: `rollcall-${kind}`,
    fingerprint,
    severity: fails ? 'major' : 'info',
    location: { path: spec, lines: { begin: line } },
  }));
  return JSON.stringify(issues, null, 2);
}

/** SARIF 2.1.0. What the baseline has is suppressed, not left out: scanners close what is missing. */
function sarif({ findings, spec }: Outcome): string {
  const rules = kindNames.map((id) => ({
    id,
    shortDescription: { text: kinds[id] },
    defaultConfiguration: { level: 'warning' },
  }));
  const results = findings.map(({ kind, method, route, message, line, fingerprint, ...rest }) => ({
    ruleId: kind,
    ruleIndex: kindNames.indexOf(kind),
    level: rest.fails ? 'error' : 'note',
    message: { text: `${method} ${route}: ${message}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(spec) },
          region: { startLine: line },
        },
      },
    ],
    partialFingerprints: { 'rollcall/v1': fingerprint },
    ...(rest.isKnown && {
      suppressions: [{ kind: 'external', justification: 'it is in the baseline' }],
    }),
  }));
  const tool = { driver: { name: 'Rollcall', version, rules } };
  return JSON.stringify(
    { version: '2.1.0', $schema: sarifSchema, runs: [{ tool, results }] },
    null,
    2,
  );
}

/** The schema's identifier, which readers compare and do not fetch. */
const sarifSchema = 'https://json.schemastore.org/sarif-2.1.0.json';

function json(outcome: Outcome): string {
  const { failOn, minConfidence, findings, ...rest } = outcome;
  return JSON.stringify(
    {
      ...rest,
      fail_on: failOn,
      min_confidence: minConfidence,
      findings: findings.map(({ isKnown, ...finding }) => ({ ...finding, is_known: isKnown })),
    },
    null,
    2,
  );
}

/** As reviews and scanners name files: with slashes, relative to the working folder where it lies below. */
export function shownPath(path: string): string {
  const below = relative(process.cwd(), path).replaceAll('\\', '/');
  return below.startsWith('..') ? path.replaceAll('\\', '/') : below;
}
