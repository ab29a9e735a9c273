import { z } from 'zod';
import { projectPattern, projectRule } from '../../core/key.ts';
import type { ProjectRecord } from '../../core/store/keys.ts';
import type { Order } from '../query/page.ts';
import { pageParameters } from '../query/parameters.ts';
import { count, nextCursor } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { defineCommand, operatorOnly, pageOfRows } from './command.ts';

const projectTable = tableOf<ProjectRecord>()('ProjectRow', {
  name: {
    type: z.string(),
    about: 'what keys and commands call it',
    value: ({ name }) => name,
    brief: true,
  },
  keys: { type: count, about: 'keys in use', value: ({ keys }) => keys, brief: true },
});

export const projectName = (meaning: string) =>
  z.string().regex(projectPattern).describe(`${meaning}: ${projectRule}`);

export const createProject = defineCommand({
  name: 'createProject',
  method: 'POST',
  path: '/projects',
  about: 'Creates a project: a tenant that sees nothing of the others',
  by: 'operator',
  parameters: z.strictObject({}),
  input: z.strictObject({ name: projectName("the project's name") }),
  status: 201,
  schema: projectTable.schema,
  async run({ keys, administrator, input: { name } }) {
    operatorOnly(administrator);
    await keys.createProject(name);
    return { name, keys: 0 };
  },
});

const byName: Order<ProjectRecord> = {
  value: ({ name }) => name,
  descending: false,
  key: ({ name }) => name,
};

export const listProjects = defineCommand({
  name: 'listProjects',
  method: 'GET',
  path: '/projects',
  about: 'Projects by name, each with its number of keys in use',
  by: 'operator',
  parameters: z.strictObject(pageParameters()),
  status: 200,
  schema: z.object({ projects: z.array(projectTable.schema), next_cursor: nextCursor }),
  list: {
    title: 'Rollcall projects',
    noun: 'projects',
    table: projectTable,
    prose: ({ projects }: { projects: unknown[] }) => `${projects.length} projects.`,
  },
  async run({ keys, administrator, parameters }) {
    operatorOnly(administrator);
    const page = pageOfRows('projects', await keys.projects(), byName, parameters);
    const projects = page.rows.map((record) => projectTable.row(record));
    return { projects, next_cursor: page.next_cursor };
  },
});
