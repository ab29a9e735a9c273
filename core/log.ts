import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/**
 * The log of one process on its standard output: JSON lines, or prose when a person looks on.
 * Written synchronously, so that the last line before an exit is never lost.
 * @param name which process speaks: collector, analyzer, demo
 * @param level of Config.logLevel
 */
export function openLog(name: string, level: string): Log {
  const options = { name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) return pino(options, pino.destination({ dest: 1, sync: true }));
  return pino(options, pretty({ destination: 1, sync: true, ignore: 'name,pid,hostname' }));
}
