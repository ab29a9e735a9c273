import type { Command } from './command.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.ts';
import { createProject, listProjects } from './projects.ts';

/** Everything that administers projects and keys below /api/v1. */
export const commands: readonly Command[] = [
  createProject,
  listProjects,
  createKey,
  listKeys,
  revokeKey,
  rotateKey,
];
