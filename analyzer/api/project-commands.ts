import { consumerCommands } from '../consumers/commands.ts';
import { importDecisions } from '../decisions/decisions.ts';
import { deleteDecision, getDecision, putDecision } from '../decisions/endpoint-decision.ts';
import { eventCommands } from '../events/commands.ts';
import { checkInventory } from '../inventory/check.ts';
import { inventoryCommands } from '../inventory/commands.ts';
import { forgetEndpoint, forgetService } from '../inventory/forget.ts';
import type { ProjectCommand } from '../query/project-command.ts';
import { doctor } from '../reports/doctor.ts';
import { endpointEvidence } from '../verdict/evidence.ts';
import { deadHistory, endpointVerdicts } from '../verdict/history.ts';

/** All commands in a project below /api/v1, those of tenancy excepted. */
export const projectCommands: readonly ProjectCommand[] = [
  ...inventoryCommands,
  checkInventory,
  putDecision,
  getDecision,
  deleteDecision,
  importDecisions,
  doctor,
  endpointEvidence,
  endpointVerdicts,
  deadHistory,
  ...consumerCommands,
  ...eventCommands,
  forgetEndpoint,
  forgetService,
];
