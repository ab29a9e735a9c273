import { transportCases } from './cases/transport.ts';
import { prove } from './prove.ts';

prove(transportCases);
