import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { ToldEvent } from '../../core/store/annotations/events.ts';
import { isoTime } from '../../core/window.ts';
import { jsonInput } from '../query/json-input.ts';
import { parseTime } from '../query/parameters.ts';
import { defineProjectCommand, type ProjectCommand } from '../query/project-command.ts';
import { eventTable } from '../reports/series/timeline.ts';

const text = (bytesMost: number, what: string) =>
  z
    .string()
    .refine((value) => Buffer.byteLength(value) <= bytesMost)
    .optional()
    .describe(`${what}, at most ${bytesMost} bytes`)
    .meta({ maxLength: bytesMost });

/** What may be told of an event. */
const toldSchema = z.strictObject({
  kind: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/)
    .describe(
      'a word for the kind of event, such as incident, flag, migration or deployment: a lower-case letter, then at most 31 lower-case letters, digits, _ and -',
    ),
  title: z
    .string()
    .trim()
    .min(1)
    .max(limits.eventTitleCharacters)
    .describe(`a title of 1 to ${limits.eventTitleCharacters} characters`),
  at: z
    .string()
    .refine((value) => parseTime(value) !== undefined)
    .optional()
    .describe(
      'when it happened: an ISO 8601 date or time since 1970, UTC unless it names an offset; now unless told',
    )
    .meta({ format: 'date-time' }),
  service: text(limits.serviceNameBytes, 'the name of the service; every service unless told'),
  environment: text(
    limits.environmentBytes,
    'the name of the environment, empty for services that name none; every environment unless told',
  ),
  version: text(limits.versionBytes, 'the service.version it is about'),
  link: z
    .string()
    .max(limits.eventLinkCharacters)
    .refine(isWebAddress)
    .optional()
    .describe(
      `an http or https address to read more at, at most ${limits.eventLinkCharacters} characters`,
    )
    .meta({ format: 'uri' }),
});

/** A link is shown as one: no script, no file. */
function isWebAddress(value: string): boolean {
  return /^https?:\/\/\S+$/i.test(value) && URL.canParse(value);
}

const input = z.toJSONSchema(toldSchema, { io: 'input' });
delete input.$schema;

const postEvent = defineProjectCommand({
  name: 'postEvent',
  path: '/events',
  method: 'POST',
  tag: 'events',
  about:
    'Tells of an event that time series are shown with: an incident, a migration, a flag that was switched',
  action: 'declare',
  body: {
    description: 'The event. Its service need not be known yet.',
    bytesMax: limits.commandBytes,
    schemas: { 'application/json': input },
  },
  failures: { 409: 'The project has as many events as it may', 413: 'The body is too large' },
  parameters: z.strictObject({}),
  status: 201,
  schema: eventTable.schema,
  async run({ project, events, body, nowMs }) {
    const event = readEvent(body, nowMs, randomBytes(9).toString('base64url'));
    await events.add(project, [event]);
    return eventTable.row(event);
  },
});

const deleteEvent = defineProjectCommand({
  name: 'deleteEvent',
  path: '/events/:id',
  method: 'DELETE',
  tag: 'events',
  about: 'Deletes an event that was told; a deployment that was observed cannot be deleted',
  action: 'declare',
  failures: { 404: 'There is no such event' },
  parameters: z.strictObject({}),
  status: 204,
  async run({ project, events, path }) {
    await events.remove(project, path.id ?? '');
    return undefined;
  },
});

export const eventCommands: readonly ProjectCommand[] = [postEvent, deleteEvent];

/** @throws AppError `invalid` */
function readEvent(body: string, nowMs: number, id: string): ToldEvent {
  const { at, ...told } = jsonInput(toldSchema, body);
  const atMs = at === undefined ? nowMs : parseTime(at)!;
  const latestMs = nowMs + limits.eventAheadMs;
  if (atMs > latestMs) {
    const message = `at=${JSON.stringify(at)} is more than a year ahead; give a time up to ${isoTime(latestMs)}`;
    throw new AppError('invalid', message, { field: 'at' });
  }
  return { id, atMs, toldMs: nowMs, ...present(told) };
}

/** Without the fields that are undefined. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}
