import { protobufCases } from './cases/protobuf.ts';
import { prove } from './prove.ts';

prove(protobufCases);
