import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../../core/error.ts';
import { runService } from '../../../core/process.ts';

/** A service whose start, close or writer behaves as its argument says; its line is the JSON of a listening one. */
const [behaviour = ''] = process.argv.slice(2);

await runService(
  'test',
  async () => {
    if (behaviour === 'fails') throw new AppError('conflict', 'the port is in use');
    if (behaviour === 'starts slowly') {
      process.stdout.write('{"starting":"http://127.0.0.1:1"}\n');
      await pause(100);
    }
    setInterval(() => {}, 1000);
    process.stdout.write('{"test":"http://127.0.0.1:1"}\n');
    return {
      close: () => (behaviour === 'never closes' ? new Promise<void>(() => {}) : pause(10)),
      lost:
        behaviour === 'is lost'
          ? pause(50, new AppError('unavailable', 'the writer is gone'))
          : undefined,
    };
  },
  300,
);
