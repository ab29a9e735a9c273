import { jsonCases } from './cases/json.ts';
import { prove } from './prove.ts';

prove(jsonCases);
