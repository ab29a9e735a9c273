import { startCollectorProcess, temporaryFolder } from '../support/process.ts';
import { type Answer, counterOf, exchange, type Post, storedSpans } from './exchange.ts';

/** A real collector and what a client can see of it: its answers, and its own counters. */
export interface ListenOptions {
  url: string;
  port: number;
  post(body: Uint8Array | string, options?: Post): Promise<Answer>;
  counter(name: string): Promise<number>;
  stored(): Promise<number>;
  close(): Promise<void>;
}

export async function openDoor(env: Record<string, string> = {}): Promise<ListenOptions> {
  const folder = temporaryFolder();
  const collector = await startCollectorProcess(`${folder.path}/rollcall.db`, env);
  const { url } = collector;
  const counter = (name: string) => counterOf(url, name);
  return {
    url,
    port: Number(new URL(url).port),
    post: (body, options) => exchange(url, body, options),
    counter,
    stored: () => counter(storedSpans),
    async close() {
      await collector.stop();
      folder.remove();
    },
  };
}
