import type { z } from 'zod';
import type { Action } from '../../core/auth/authorizer.ts';
import type { ConsumerStore } from '../../core/store/annotations/consumers.ts';
import type { EventStore } from '../../core/store/annotations/events.ts';
import type { ArrivalStore } from '../../core/store/arrivals.ts';
import type { DecisionStore } from '../../core/store/decisions.ts';
import type { InventoryStore } from '../../core/store/inventory.ts';
import type { EndpointStore } from '../../core/store/store.ts';
import type { VerdictStore } from '../../core/store/verdicts.ts';
import type { ReadInventory } from '../inventory/declared-route.ts';
import type { QueryContext } from './answer-head.ts';

/**
 * A command in one project, allowed by the scope of the project's key: its address, its input and its answer. The
 * REST listener and the OpenAPI document are both made from the list of commands (analyzer/api/project-commands.ts).
 */
export interface ProjectCommand {
  /** The operation id. */
  name: string;
  /** Below /api/v1, in Express's spelling. */
  path: string;
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Of the OpenAPI document. */
  tag: 'reports' | 'inventory' | 'decisions' | 'verdicts' | 'consumers' | 'events';
  about: string;
  action: Action;
  parameters: z.ZodObject<z.ZodRawShape>;
  body?: CommandBody;
  /** Of the success. */
  status: 200 | 201 | 204;
  schema?: z.ZodType<object>;
  /** The answer to `format=md`; absent for a command that answers JSON alone. */
  markdown?: (answer: never) => string;
  /** When it answers these statuses. */
  failures: Partial<Record<404 | 409 | 413, string>>;
  run(context: ProjectContext<never>): Promise<object | undefined>;
}

/** A body that the command reads as text; the text decides how it is read, not its type. */
export interface CommandBody {
  description: string;
  bytesMax: number;
  /** Of the OpenAPI document. */
  schemas: Record<string, object>;
}

export interface ProjectContext<P> {
  project: string;
  inventories: InventoryStore;
  decisions: DecisionStore;
  verdicts: VerdictStore;
  arrivals: ArrivalStore;
  consumers: ConsumerStore;
  events: EventStore;
  endpoints: EndpointStore;
  /** Runs `answer` on one snapshot of the project. */
  ask<T>(answer: (context: QueryContext) => Promise<T>): Promise<T>;
  /** As `InventoryReader.read` (analyzer/inventory/reader.ts). */
  readInventory(text: string): Promise<ReadInventory>;
  nowMs: number;
  parameters: P;
  /** Parts of the address by name. */
  path: Record<string, string>;
  /** Empty for a command without one. */
  body: string;
}

/** Checks a command's types against its schemas, then erases them: the list of commands holds them all. */
export function defineProjectCommand<P extends z.ZodRawShape, A extends z.ZodType<object>>(
  definition: Omit<ProjectCommand, 'parameters' | 'schema' | 'markdown' | 'run'> & {
    parameters: z.ZodObject<P>;
    schema?: A;
    markdown?: (answer: z.output<A>) => string;
    run(context: ProjectContext<z.output<z.ZodObject<P>>>): Promise<z.output<A> | undefined>;
  },
): ProjectCommand {
  return definition as unknown as ProjectCommand;
}
