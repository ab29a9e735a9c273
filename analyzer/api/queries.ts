import { decisions } from '../decisions/decisions.ts';
import { deprecated } from '../inventory/deprecated.ts';
import { observedDocument } from '../inventory/observed-document.ts';
import { removed } from '../inventory/removed.ts';
import type { Query } from '../query/query.ts';
import { clients } from '../reports/callers/clients.ts';
import { consumers } from '../reports/callers/consumers.ts';
import { internalCallers } from '../reports/callers/internal-callers.ts';
import { calls } from '../reports/calls/calls.ts';
import { compare } from '../reports/compare/compare.ts';
import { dead } from '../reports/dead.ts';
import { latency } from '../reports/durations.ts';
import { endpoint } from '../reports/endpoint.ts';
import { report } from '../reports/report.ts';
import { events } from '../reports/series/events.ts';
import { timeseries } from '../reports/series/timeseries.ts';
import { services } from '../reports/services.ts';
import { slice } from '../reports/slice.ts';
import { summary } from '../reports/summary.ts';
import { top } from '../reports/top.ts';

/** Every query below /api/v1. */
export const queries: readonly Query[] = [
  services,
  report,
  top,
  dead,
  summary,
  timeseries,
  latency,
  slice,
  endpoint,
  clients,
  decisions,
  calls,
  consumers,
  internalCallers,
  compare,
  events,
  observedDocument,
  removed,
  deprecated,
];
