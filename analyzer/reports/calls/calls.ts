import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import type { CallOrder, CallPage } from '../../../core/store/calls.ts';
import type { Selection } from '../../../core/store/store.ts';
import { isoTime, type Window } from '../../../core/window.ts';
import {
  headShape,
  type Note,
  type QueryContext,
  selectionNotes,
  selectionOf,
} from '../../query/answer-head.ts';
import { formatParameter, limitParameter } from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { nextCursor, time } from '../../query/schema.ts';
import { requestedWindow, windowAnswer } from '../../query/window.ts';
import { filteredSelection } from '../endpoint-filter.ts';
import { callEntries } from './call-entries.ts';
import {
  type CallFilterParameters,
  callFilterOf,
  callFilterParameters,
} from './call-parameters.ts';
import { callTable } from './call-row.ts';

const { generated_at, window, filters, notes } = headShape;
const cursorText = z.string().max(limits.cursorCharacters).optional();

const parameters = z.strictObject({
  ...callFilterParameters,
  sort: z
    .enum(['ended_at', 'duration_ms'])
    .default('ended_at')
    .describe('ended_at: newest first; duration_ms: slowest first; ended_at unless told'),
  limit: limitParameter(limits.callPageRows, 100),
  cursor: cursorText.describe(
    'the next_cursor of the answer before, with all other parameters as they were',
  ),
  follow: cursorText.describe(
    'the follow_cursor of an answer, with the same filters: calls that arrived since, in the order of their arrival; not with a window, sort or cursor',
  ),
  format: formatParameter,
});

type Parameters = z.output<typeof parameters>;

/** Raw calls, while they are kept (ROLLCALL_RETAIN_CALLS). */
export const calls = defineQuery({
  name: 'calls',
  path: '/calls',
  about: 'Raw calls, newest or slowest first',
  parameters,
  schema: z.object({
    generated_at,
    window,
    filters,
    notes,
    kept_since: time
      .nullable()
      .describe(
        'calls that were stored since this moment are kept; null while retention has deleted none',
      ),
    calls: z.array(callTable.schema),
    next_cursor: nextCursor.describe(
      'give it as cursor= for the next page, which may also follow a page of few calls or none; null on the last page',
    ),
    follow_cursor: z
      .string()
      .describe('give it as follow= for the calls that are stored after this answer'),
  }),
  list: {
    title: 'Calls',
    noun: 'calls',
    isStreamed: true,
    table: callTable,
    prose: callProse,
  },
  async answer(context, asked) {
    const { snapshot } = context;
    const place = placeOf(context, asked);
    const selection = await selectionFor(context, asked);
    const { fromS, toS } = place.window;
    const isFollowing = asked.follow !== undefined;
    const filter = { ...callFilterOf(asked), ...(!isFollowing && { fromS, toS }) };
    const order: CallOrder = isFollowing
      ? 'arrival'
      : asked.sort === 'ended_at'
        ? 'newest'
        : 'slowest';
    const request = { order, limit: asked.limit, cursor: place.cursor };
    const page = await snapshot.calls(selection, filter, request);
    const keptSinceMs = page.keptSinceMs && Math.min(page.keptSinceMs, place.nowMs);
    const remarks = [
      ...(await selectionNotes(context, asked)),
      ...pageNotes(page, asked),
      ...keptNotes(keptSinceMs, place),
    ];
    const entries = await callEntries(context, page.calls);
    return {
      generated_at: isoTime(place.nowMs),
      window: windowAnswer({ window: place.window, resolution: 'minute', incomplete: false }),
      filters: shownFilters(asked),
      ...(remarks.length > 0 && { notes: remarks }),
      kept_since: keptSinceMs === undefined ? null : isoTime(keptSinceMs),
      calls: entries.map((entry) => callTable.row(entry)),
      next_cursor:
        page.cursor === undefined
          ? null
          : writePlace(isFollowing ? followed(context, asked) : searched(context, asked), {
              ...place,
              cursor: page.cursor,
            }),
      follow_cursor: writePlace(followed(context, asked), { ...place, cursor: page.arrivals }),
    };
  },
});

/** Where a page begins: the moment and window of the first page, and the store's own cursor. */
interface Place {
  nowMs: number;
  window: Window;
  cursor: string | undefined;
}

/** @throws AppError `invalid` for a wrong window or cursor, and for parameters that exclude each other */
function placeOf(context: QueryContext, asked: Parameters): Place {
  const { cursor, follow, from, to } = asked;
  const { nowMs } = context;
  if (follow === undefined) {
    const requested = requestedWindow(asked, context);
    if (cursor === undefined) return { nowMs, window: requested, cursor: undefined };
    return readPlace(searched(context, asked), cursor, 'cursor');
  }
  const others = { cursor, window: asked.window, from, to };
  const other = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) {
    const message = `follow= goes without ${other}=: it gives the calls that arrived since`;
    throw new AppError('invalid', message, { field: other });
  }
  const place = readPlace(followed(context, asked), follow, 'follow');
  const { toS } = requestedWindow({}, context);
  return { nowMs, window: { fromS: 0, toS }, cursor: place.cursor };
}

/** What two requests share when a cursor of one may continue the other. */
function searched({ project }: QueryContext, asked: Parameters): string {
  const { limit: _limit, cursor: _cursor, format: _format, ...rest } = asked;
  return JSON.stringify(['/calls', project, rest]);
}

function followed({ project }: QueryContext, asked: Parameters): string {
  const { limit: _, cursor: _c, follow: _f, format: _o, sort: _s, ...rest } = asked;
  const { window: _w, from: _from, to: _to, ...filter } = rest;
  return JSON.stringify(['/calls follow', project, filter]);
}

function writePlace(query: string, { nowMs, window, cursor }: Place): string {
  const parts = [digestOf(query), nowMs, window.fromS, window.toS, cursor];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AppError `invalid` for a text that is no cursor of this query */
function readPlace(query: string, text: string, field: 'cursor' | 'follow'): Place {
  const parts = partsOf(text);
  const [of, nowMs, fromS, toS, cursor] = parts;
  const areTimes = [nowMs, fromS, toS].every((part) => Number.isSafeInteger(part));
  if (parts.length !== 5 || !areTimes || typeof cursor !== 'string') {
    const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
    const from = field === 'cursor' ? 'next_cursor' : 'follow_cursor';
    const message = `${field}=${shown} is not allowed; give the ${from} of an answer before`;
    throw new AppError('invalid', message, { field });
  }
  if (of !== digestOf(query)) {
    const message = `${field} belongs to another question; keep all other parameters as they were, or leave it out`;
    throw new AppError('invalid', message, { field });
  }
  const times = { nowMs, fromS, toS } as { nowMs: number; fromS: number; toS: number };
  return { nowMs: times.nowMs, window: { fromS: times.fromS, toS: times.toS }, cursor };
}

function partsOf(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

function digestOf(query: string): string {
  return createHash('sha256').update(query).digest('base64url').slice(0, 10);
}

/** Endpoints are looked up only for filters that only they know. */
async function selectionFor(
  { snapshot }: QueryContext,
  asked: CallFilterParameters,
): Promise<Selection> {
  const { method, route, endpoint } = asked;
  if (method === undefined && route === undefined && endpoint === undefined) {
    return selectionOf(asked);
  }
  return (await filteredSelection(snapshot, asked)).selection;
}

/** The filters in the words of the request. */
function shownFilters(asked: CallFilterParameters): Record<string, string | null> {
  const { window: _window, from: _from, to: _to, ...own } = callFilterParameters;
  return Object.fromEntries(
    Object.keys(own).map((name) => [
      name,
      asked[name as keyof CallFilterParameters]?.toString() ?? null,
    ]),
  );
}

function pageNotes(page: CallPage, { limit }: Parameters): Note[] {
  if (page.cursor === undefined || page.calls.length === limit) return [];
  const message = 'One page visits a bounded number of calls: the search goes on with next_cursor.';
  return [{ code: 'search_continues', message, field: null }];
}

function keptNotes(keptSinceMs: number | undefined, { window }: Place): Note[] {
  if (keptSinceMs === undefined || window.fromS * 1000 >= keptSinceMs) return [];
  const message = `Raw calls that were stored before ${isoTime(keptSinceMs)} are past their retention and deleted; reports count them.`;
  return [{ code: 'calls_deleted', message, field: null }];
}

function callProse(body: {
  window: { from: string; to: string };
  notes?: readonly { message: string }[];
}): string {
  const { window, notes = [] } = body;
  const range = `Calls that ended from ${window.from} to ${window.to}.`;
  return [range, ...notes.map(({ message }) => message)].join(' ');
}
