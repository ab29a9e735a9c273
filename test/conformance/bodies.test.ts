import { bodyCases } from './cases/bodies.ts';
import { prove } from './prove.ts';

prove(bodyCases);
