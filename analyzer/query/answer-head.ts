import { z } from 'zod';
import type { Coverage, Selection, Snapshot } from '../../core/store/store.ts';
import { isoTime } from '../../core/window.ts';
import type { Owners } from '../inventory/owners.ts';
import type { RememberedLists } from './remembered-lists.ts';
import { named, time } from './schema.ts';
import { type QueryClock, windowAnswer, windowSchema } from './window.ts';

/** What a query is answered with. */
export interface QueryContext extends QueryClock {
  project: string;
  snapshot: Snapshot;
  thresholds: Thresholds;
  /** Clients' addresses are hashed with a key of the day (ROLLCALL_CLIENT_PRIVACY=hash). */
  clientsAreHashed: boolean;
  /** ROLLCALL_TRACE_URL */
  traceUrl?: string | undefined;
  lists: RememberedLists;
  owners: Owners;
}

/** Days of silence after which an endpoint is cold, dead. */
export interface Thresholds {
  coldAfterDays: number;
  deadAfterDays: number;
}

/** What a reader of the answer must know and its figures do not show. */
const noteCodes = {
  unknown_service: 'service= or environment= names nothing that was ever observed',
  clients_by_day: 'clients are hashed anew each day: one client counts once for each day',
  window_cut:
    'the window that was asked for begins earlier: what was called before `window` is past its retention',
  search_continues: 'the search is not at its end: this page holds what it has found so far',
  calls_deleted: 'raw calls of a part of the window are past their retention',
  unrecorded:
    'release 0.1.0 counted some of the calls and kept neither callers nor versions: they are in no row',
  one_version: 'one version alone was observed of a service: its versions are not compared',
  list_renewed:
    'the list of the earlier pages is no longer remembered: this page is of a later one',
} as const;

const noteSchema = named(
  'Note',
  z.object({
    code: z.enum(Object.keys(noteCodes) as [NoteCode, ...NoteCode[]]).describe(
      Object.entries(noteCodes)
        .map(([code, meaning]) => `${code}: ${meaning}`)
        .join('; '),
    ),
    message: z.string().describe('a sentence for people'),
    field: z.string().nullable().describe('the parameter it is about, if any'),
  }),
);

type NoteCode = keyof typeof noteCodes;
export type Note = z.output<typeof noteSchema>;

/** The fields every answer begins with. */
export const headShape = {
  generated_at: time.describe('the moment of the answer; all pages of a list are of one moment'),
  window: windowSchema,
  filters: z
    .record(z.string(), z.string().nullable())
    .describe('the filters as they were understood; null where none was given'),
  observed_since: time.nullable().describe('end of the oldest span of the selection'),
  estimated: z.boolean().describe('some count of the answer is an estimate'),
  notes: z
    .array(noteSchema)
    .optional()
    .describe('what the figures do not show; absent when there is nothing to say'),
};

export type Head = z.output<z.ZodObject<typeof headShape>>;

export function head(
  context: QueryContext,
  known: {
    coverage: Coverage;
    observedSinceMs: number | undefined;
    estimated: boolean;
    notes?: readonly Note[];
  },
  filters: Record<string, string | readonly string[] | undefined>,
): Head {
  const { coverage, observedSinceMs, estimated } = known;
  const notes = [...(coverage.incomplete ? [cutNote(coverage)] : []), ...(known.notes ?? [])];
  return {
    generated_at: isoTime(context.nowMs),
    window: windowAnswer(coverage),
    filters: Object.fromEntries(
      Object.entries(filters).map(([name, value]) => [name, value?.toString() ?? null]),
    ),
    observed_since: observedSinceMs === undefined ? null : isoTime(observedSinceMs),
    estimated,
    ...(notes.length > 0 && { notes }),
  };
}

function cutNote({ window }: Coverage): Note {
  const since = isoTime(window.fromS * 1000);
  const message = `Calls before ${since} are past their retention: the window begins there, later than asked.`;
  return { code: 'window_cut', message, field: null };
}

/** The head as a line of prose, above a table. */
export function headProse({ window, observed_since: since, notes = [] }: Head): string {
  const observed = since === null ? 'no calls yet' : `since ${since}`;
  const range = `From ${window.from} to ${window.to} (to the ${window.resolution})`;
  return [`${range}, observed: ${observed}.`, ...notes.map(({ message }) => message)].join(' ');
}

interface CommonParameters {
  service?: string | undefined;
  environment?: string | undefined;
}

/** The selection of the common parameters. */
export function selectionOf({ service, environment }: CommonParameters): Selection {
  return {
    ...(service !== undefined && { service }),
    ...(environment !== undefined && { environment }),
  };
}

/** An empty list of a service that does not exist must not read as one of a service that is clean. */
export async function selectionNotes(
  { snapshot }: QueryContext,
  { service, environment }: CommonParameters,
): Promise<Note[]> {
  if (service === undefined && environment === undefined) return [];
  const records = await snapshot.services();
  const ofService = records.filter((record) => service === undefined || record.service === service);
  const isKnown = ofService.some(
    (record) => environment === undefined || record.environment === environment,
  );
  if (isKnown) return [];
  const isServiceUnknown = service !== undefined && ofService.length === 0;
  const what = isServiceUnknown
    ? `service ${JSON.stringify(service)}`
    : `environment ${JSON.stringify(environment)}${service === undefined ? '' : ` of service ${JSON.stringify(service)}`}`;
  const field = isServiceUnknown ? 'service' : 'environment';
  return [{ code: 'unknown_service', message: `No ${what} was ever observed.`, field }];
}
