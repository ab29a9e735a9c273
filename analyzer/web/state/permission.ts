import type { Session } from '../api/answers.ts';

/** Whether this browser may change anything: without authentication everybody may. */
export const mayChange = ({ auth, user }: Session): boolean =>
  auth === 'off' || user?.scope === 'admin';
