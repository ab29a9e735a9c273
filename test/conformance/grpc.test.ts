import { grpcCases } from './cases/grpc.ts';
import { prove } from './prove.ts';

prove(grpcCases);
