import type { Window } from '../../window.ts';

/** An event that a person or a deployment pipeline reported. */
export interface ToldEvent {
  /** Made by its teller, unique within the project. */
  id: string;
  atMs: number;
  /** `incident`, `flag`, `deployment` … */
  kind: string;
  title: string;
  /** Absent for an event of all services. */
  service?: string;
  /** Absent for all environments; empty for the services that name none. */
  environment?: string;
  /** The service version it is about. */
  version?: string;
  /** An address to read more at. */
  link?: string;
  toldMs: number;
}

/** Keeps events. Every method names the project. */
export interface EventStore {
  /**
   * Adds all of them, or none.
   * @throws AppError `conflict` past `limits.toldEvents`; `not_found` for a project that does not exist
   */
  add(project: string, events: readonly ToldEvent[]): Promise<void>;
  /** @throws AppError `not_found` */
  remove(project: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** The events of a window that concern a selection of services, oldest first. An event of all services concerns each. */
export function eventsWithin<E extends { atMs: number; service?: string; environment?: string }>(
  events: readonly E[],
  { service, environment }: { service?: string; environment?: string },
  { fromS, toS }: Window,
): E[] {
  const concerns = (asked: string | undefined, own: string | undefined) =>
    asked === undefined || own === undefined || asked === own;
  return events
    .filter(({ atMs }) => atMs >= fromS * 1000 && atMs < toS * 1000)
    .filter((event) => concerns(service, event.service))
    .filter((event) => concerns(environment, event.environment))
    .sort((a, b) => a.atMs - b.atMs);
}
