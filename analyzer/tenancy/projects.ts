import { z } from 'zod';
import { projectPattern, projectRule } from '../../core/key.ts';
import type { ProjectRecord } from '../../core/store/keys.ts';
import { pageParameters } from '../query/parameters.ts';
import { jsonAnswer } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import { command, listOf, operatorOnly } from './command.ts';

const columns: Column<ProjectRecord>[] = [
  { name: 'name', type: 'string', about: 'what keys and commands call it', brief: true },
  { name: 'keys', type: 'integer', about: 'keys in use', brief: true },
];

export const projectName = (what: string) =>
  z.string().regex(projectPattern).describe(`${what}: ${projectRule}`);

export const createProject = command({
  name: 'createProject',
  method: 'POST',
  path: '/projects',
  about: 'Creates a project: a tenant that sees nothing of the others',
  by: 'operator',
  parameters: z.strictObject({}),
  body: z.strictObject({ name: projectName("the project's name") }),
  status: 201,
  row: columns,
  async run({ keys, administrator, body: { name } }) {
    operatorOnly(administrator);
    await keys.createProject(name);
    return jsonAnswer({ name, keys: 0 });
  },
});

export const listProjects = command({
  name: 'listProjects',
  method: 'GET',
  path: '/projects',
  about: 'Projects by name, each with its number of keys in use',
  by: 'operator',
  parameters: z.strictObject(pageParameters()),
  status: 200,
  list: { noun: 'projects', columns },
  async run({ keys, administrator, parameters }) {
    operatorOnly(administrator);
    const rows = await keys.projects();
    const key = ({ name }: ProjectRecord) => name;
    const order = { field: 'name', descending: false, key } as const;
    return listOf({ list: { noun: 'projects', columns }, rows, order }, parameters);
  },
});
