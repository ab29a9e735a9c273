import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { ConsumerNote } from '../../core/store/annotations/consumers.ts';
import { defineProjectCommand, type ProjectCommand } from '../query/project-command.ts';
import { count, named } from '../query/schema.ts';
import { checkName, readNote, readNotes } from './read.ts';

const noteSchema = named(
  'ConsumerNote',
  z.object({
    consumer: z.string(),
    display_name: z.string().nullable(),
    group: z.string().nullable(),
    contact: z.string().nullable(),
  }),
);

const told = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    ['display_name', 'group', 'contact'].map((name) => [
      name,
      { type: ['string', 'null'], maxLength: limits.consumerNoteCharacters },
    ]),
  ),
};

const putConsumer = defineProjectCommand({
  name: 'putConsumer',
  path: '/consumers/:name',
  method: 'PUT',
  tag: 'consumers',
  about:
    'Says who a consumer is: its display name, its group and whom to contact; what is left out is emptied',
  action: 'describe',
  body: {
    description: 'What reports show beside the name that calls carry.',
    bytesMax: limits.commandBytes,
    schemas: { 'application/json': told, 'application/yaml': told },
  },
  failures: { 409: 'The project has notes on as many consumers as it may' },
  parameters: z.strictObject({}),
  status: 200,
  schema: noteSchema,
  async run({ project, consumers, path, body, nowMs }) {
    const note = readNote(checkName(path.name ?? ''), body, nowMs);
    await consumers.put(project, [note]);
    return noteRow(note);
  },
});

const removeConsumer = defineProjectCommand({
  name: 'removeConsumer',
  path: '/consumers/:name',
  method: 'DELETE',
  tag: 'consumers',
  about: 'Forgets what was said of a consumer; its calls stay',
  action: 'describe',
  failures: { 404: 'Nothing was said of this consumer' },
  parameters: z.strictObject({}),
  status: 204,
  async run({ project, consumers, path }) {
    await consumers.remove(project, checkName(path.name ?? ''));
    return undefined;
  },
});

const putConsumers = defineProjectCommand({
  name: 'putConsumers',
  path: '/consumers',
  method: 'PUT',
  tag: 'consumers',
  about: 'Says who many consumers are: all of them or, when one is wrong, none; others stay',
  action: 'describe',
  body: {
    description:
      'JSON or YAML: {"consumers": {"NAME": {"display_name", "group", "contact"}}}. The content decides, not the type.',
    bytesMax: limits.consumerNotesBytes,
    schemas: Object.fromEntries(
      ['application/json', 'application/yaml'].map((type) => [
        type,
        {
          type: 'object',
          required: ['consumers'],
          properties: {
            consumers: {
              type: 'object',
              additionalProperties: { ...told, type: ['object', 'null'] },
            },
          },
        },
      ]),
    ),
  },
  failures: {
    409: 'The project has notes on as many consumers as it may',
    413: 'The body or its number of consumers is too large',
  },
  parameters: z.strictObject({}),
  status: 200,
  schema: z.object({ consumers: count.describe('that the body named') }),
  async run({ project, consumers, body, nowMs }) {
    const notes = readNotes(body, nowMs);
    await consumers.put(project, notes);
    return { consumers: notes.length };
  },
});

export const consumerCommands: readonly ProjectCommand[] = [
  putConsumer,
  removeConsumer,
  putConsumers,
];

function noteRow({ consumer, displayName, group, contact }: ConsumerNote) {
  return {
    consumer,
    display_name: displayName || null,
    group: group || null,
    contact: contact || null,
  };
}
