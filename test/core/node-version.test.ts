import { expect, it } from 'vitest';
import { nodeVersionMistake } from '../../core/node-version.ts';

it('takes Node 24 and newer, and names the version it refuses', () => {
  expect(nodeVersionMistake('24.0.0')).toBeUndefined();
  expect(nodeVersionMistake('100.1.0')).toBeUndefined();
  expect(nodeVersionMistake('20.11.1')).toContain('Node 20.11.1');
});
