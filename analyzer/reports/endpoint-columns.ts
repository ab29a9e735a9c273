import { z } from 'zod';
import type { EndpointRecord } from '../../core/store/store.ts';

interface OfEndpoint {
  endpoint: Pick<EndpointRecord, 'service' | 'environment' | 'method' | 'route'>;
}

/** The columns that name an endpoint, in every list whose rows are of endpoints. */
export const endpointColumns = {
  service: {
    type: z.string(),
    about: 'service.name',
    value: ({ endpoint }: OfEndpoint) => endpoint.service,
    brief: true,
  },
  environment: {
    type: z.string(),
    about: 'deployment.environment.name, empty when unnamed',
    value: ({ endpoint }: OfEndpoint) => endpoint.environment,
    brief: true,
  },
  method: {
    type: z.string(),
    about: 'HTTP method',
    value: ({ endpoint }: OfEndpoint) => endpoint.method,
    brief: true,
  },
  route: {
    type: z.string(),
    about: 'canonical route, or a special one',
    value: ({ endpoint }: OfEndpoint) => endpoint.route,
    brief: true,
  },
} as const;
