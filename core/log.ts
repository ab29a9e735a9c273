import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/**
 * Opens the log of a process on its standard output: JSON lines, or readable lines on a terminal. Written
 * synchronously, so that no line is lost at an exit.
 * @param name of the process: collector, analyzer, rollcall
 * @param level `Config.logLevel`
 */
export function openLog(name: string, level: string): Log {
  const options = { name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) return pino(options, pino.destination({ dest: 1, sync: true }));
  return pino(options, pretty({ destination: 1, sync: true, ignore: 'name,pid,hostname' }));
}
