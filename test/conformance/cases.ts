import type { Case } from './case.ts';
import { accessCases } from './cases/access.ts';
import { bodyCases } from './cases/bodies.ts';
import { grpcCases } from './cases/grpc.ts';
import { jsonCases } from './cases/json.ts';
import { lifecycleCases } from './cases/lifecycle.ts';
import { protobufCases } from './cases/protobuf.ts';
import { responseCases } from './cases/responses.ts';
import { transportCases } from './cases/transport.ts';
import type { Section } from './requirements.ts';

/** The whole list, by its sections. */
export const cases: Record<Section, readonly Case[]> = {
  transport: transportCases,
  bodies: bodyCases,
  protobuf: protobufCases,
  json: jsonCases,
  responses: responseCases,
  grpc: grpcCases,
  lifecycle: lifecycleCases,
  access: accessCases,
};
