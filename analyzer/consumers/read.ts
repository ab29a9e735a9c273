import { JSON_SCHEMA, load } from 'js-yaml';
import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { ConsumerNote } from '../../core/store/annotations/consumers.ts';

const text = z.string().trim().max(limits.consumerNoteCharacters).nullish();

/** What may be told of one consumer. */
export const toldSchema = z.strictObject({
  display_name: text,
  group: text,
  contact: text,
});

/** A name with nothing behind it is an empty text in YAML. */
const toldOrNothing = z.preprocess((value) => (value === '' ? null : value), toldSchema.nullable());

const documentSchema = z.strictObject({ consumers: z.record(z.string(), toldOrNothing) });

/** @param body JSON: an object of `toldSchema` @throws AppError `invalid` */
export function readNote(consumer: string, body: string, nowMs: number): ConsumerNote {
  return noteOf(consumer, checked(toldSchema, parsed(body)), nowMs);
}

/**
 * Reads notes on many consumers: JSON or YAML, `consumers:` with an object for each name.
 * @throws AppError `invalid`; `too_large` for more than `limits.consumerNotes`
 */
export function readNotes(body: string, nowMs: number): ConsumerNote[] {
  const { consumers } = checked(documentSchema, parsed(body));
  const names = Object.entries(consumers);
  if (names.length > limits.consumerNotes) {
    const message = `${names.length} consumers are named; at most ${limits.consumerNotes} may be`;
    throw new AppError('too_large', message, { field: 'body' });
  }
  return names.map(([consumer, told]) => noteOf(consumer, told ?? {}, nowMs));
}

/** @throws AppError `invalid` */
export function checkName(consumer: string): string {
  const bytes = Buffer.byteLength(consumer);
  if (consumer !== '' && bytes <= limits.consumerBytes) return consumer;
  const shown = JSON.stringify(consumer.slice(0, 100));
  const message = `${shown} is no name of a consumer: it has ${bytes} bytes, and may have 1 to ${limits.consumerBytes}`;
  throw new AppError('invalid', message, { field: 'name' });
}

function noteOf(
  consumer: string,
  { display_name, group, contact }: z.output<typeof toldSchema>,
  changedMs: number,
): ConsumerNote {
  return {
    consumer: checkName(consumer),
    displayName: display_name ?? '',
    group: group ?? '',
    contact: contact ?? '',
    changedMs,
  };
}

function parsed(body: string): unknown {
  try {
    // YAML reads JSON too. JSON's schema: no dates, no custom types.
    return load(body, { schema: JSON_SCHEMA });
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new AppError('invalid', `the body is neither JSON nor YAML: ${reason}`, {
      field: 'body',
      cause: error,
    });
  }
}

function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const { path, message } = outcome.error.issues[0]!;
  const place = path.length === 0 ? 'the body' : path.map(String).join('.').slice(0, 200);
  throw new AppError(
    'invalid',
    `${place}: ${message}; a consumer has display_name, group and contact, each a text of at most ${limits.consumerNoteCharacters} characters`,
    { field: path.length === 0 ? 'body' : String(path.at(-1)).slice(0, 100) },
  );
}
