import type { z } from 'zod';
import { AppError } from '../../core/error.ts';

/**
 * Checks the JSON of a request's body: unknown and wrong fields are refused by name.
 * @throws AppError `invalid`
 */
export function jsonInput<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  text: string,
): z.output<z.ZodObject<S>> {
  return checkedInput(schema, parse(text));
}

/** @param value of JSON or YAML @param place of the value in its document, for messages */
export function checkedInput<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  value: unknown,
  place = '',
): z.output<z.ZodObject<S>> {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw wrongField(schema, outcome.error.issues[0]!, place);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('invalid', 'the body is not JSON');
  }
}

function wrongField(
  schema: z.ZodObject<z.ZodRawShape>,
  issue: z.core.$ZodIssue,
  place: string,
): AppError {
  const known = Object.keys(schema.shape).join(', ');
  const at = place === '' ? '' : `${place}: `;
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0]!.slice(0, 100);
    const message = `${at}unknown field ${JSON.stringify(name)}; known here: ${known}`;
    return new AppError('invalid', message, { field: name });
  }
  if (issue.path.length === 0) {
    const what = place === '' ? 'the body' : place;
    return new AppError('invalid', `${what} must be a JSON object with ${known}`);
  }
  const name = String(issue.path[0]);
  const allowed = (schema.shape[name] as z.ZodType).description;
  return new AppError('invalid', `${at}${name} is missing or not allowed; give ${allowed}`, {
    field: name,
  });
}
