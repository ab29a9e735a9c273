import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Ingest } from './ingest.ts';

/** Returns when the store can commit. @throws AppError when it cannot, or not within `limits.readyMs` */
export async function checkReady(ingest: Ingest): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('unavailable', `the store did not answer within ${limits.readyMs} ms`));
    }, limits.readyMs);
  });
  try {
    await Promise.race([ingest.check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
