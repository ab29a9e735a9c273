import { responseCases } from './cases/responses.ts';
import { prove } from './prove.ts';

prove(responseCases);
