import { totalmem } from 'node:os';

/** Memory that one service may use, and what it is divided into. */

const mib = 2 ** 20;

/** As docker-compose.yml ships. */
const shippedBytes = 768 * mib;

/**
 * The memory of one service where ROLLCALL_MEMORY_MIB does not say: the container's limit; without one a quarter of the
 * machine's memory, from 768 MiB to 2 GiB.
 * @param constrained the limit of the process's control group; without a limit it is larger than the machine's memory
 */
export function serviceMemoryBytes(
  constrained: number = process.constrainedMemory(),
  machine: number = totalmem(),
): number {
  if (constrained > 0 && constrained < machine) return constrained;
  return Math.min(Math.max(machine / 4, shippedBytes), 2048 * mib);
}

/** Parts of an analyzer's memory. What is left is for code, connections and SQLite. */
export interface AnalyzerMemory {
  /** The answering thread's heap. A report of 40,000 endpoints, as many as a store may have, keeps 360 MiB. */
  answersOldMiB: number;
  answersYoungMiB: number;
  /** The answering thread gives memory back when the process has more than this. */
  collectedFromBytes: number;
  /** Answers that clients have not read. */
  unreadAnswerBytes: number;
  /** Bodies of commands that came and are not read yet. */
  commandBytes: number;
  /** The heap of the thread that reads a large inventory. GitHub's document as YAML takes 300 MiB. */
  inventoryMiB: number;
}

export function analyzerMemory(bytes: number): AnalyzerMemory {
  const parts = (share: number, mostMiB: number) =>
    Math.min(Math.floor(bytes * share), mostMiB * mib);
  return {
    answersOldMiB: parts(1 / 2, 2048) / mib,
    answersYoungMiB: parts(1 / 10, 192) / mib,
    collectedFromBytes: parts(1 / 2, 2048),
    unreadAnswerBytes: parts(1 / 12, 128),
    commandBytes: parts(1 / 12, 128),
    inventoryMiB: parts(3 / 8, 1024) / mib,
  };
}
