import { accessCases } from './cases/access.ts';
import { prove } from './prove.ts';

prove(accessCases);
