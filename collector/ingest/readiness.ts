import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Ingest } from './ingest.ts';

/** As `Ingest.check`. @throws AppError when the store cannot commit, or not within `limits.readyMs` */
export async function checkReady(ingest: Ingest): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('unavailable', `the store did not answer within ${limits.readyMs} ms`));
    }, limits.readyMs);
  });
  try {
    return await Promise.race([ingest.check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
