import { createHash } from 'node:crypto';
import { AppError } from '../../../error.ts';
import { putVarint, VarintReader } from '../../../usage/varint.ts';
import type { CallOrder, CallPosition } from '../../calls.ts';

/** Where a search of calls continues. A call's number is its place in the order of commits; it never changes. */
export interface CallCursor {
  order: CallOrder;
  /** `newest`, `slowest`: the last number that was committed at the first page's moment. `arrival`: the last number
   *  that was visited. */
  lastNumber: number;
  /** The last call of the pages before; absent on the first page, and in the order `arrival`. */
  after?: CallPosition;
  /** Calls from this number on are visited for the page that is under way; `lastNumber + 1` when none is. */
  visitedFrom: number;
  /** Numbers of the visited calls that may be on the page under way, in any order. */
  found: readonly number[];
  /** Rows that are missing on the page under way; absent when every call that was visited and wanted is in `found`
   *  or on an earlier page. */
  limit?: number;
}

const orders: readonly CallOrder[] = ['newest', 'slowest', 'arrival'];
const checksumBytes = 6;
const format = 1;

/**
 * The cursor as text. The checksum covers the project: it finds cursors of another project and texts that were
 * changed by mistake. A caller that computes the checksum of made-up numbers sees only calls of its own project.
 */
export function writeCallCursor(project: string, cursor: CallCursor): string {
  const { order, lastNumber, after, visitedFrom, found, limit = 0 } = cursor;
  const numbers = [format, orders.indexOf(order), lastNumber, after ? 1 : 0];
  if (after) numbers.push(after.number, after.endS, after.endNs, after.durationNs + 1);
  numbers.push(lastNumber + 1 - visitedFrom, limit, found.length);
  let before = lastNumber;
  for (const number of [...found].sort((a, b) => b - a)) {
    numbers.push(before - number);
    before = number;
  }
  const bytes = Buffer.alloc(numbers.length * 8 + checksumBytes);
  let end = 0;
  for (const number of numbers) end = putVarint(bytes, end, number);
  checksum(project, bytes.subarray(0, end)).copy(bytes, end);
  return bytes.subarray(0, end + checksumBytes).toString('base64url');
}

/** @throws AppError `invalid` for a text that is no cursor of this project and order */
export function readCallCursor(project: string, order: CallOrder, text: string): CallCursor {
  const bytes = Buffer.from(text, 'base64url');
  const end = bytes.length - checksumBytes;
  const isWhole =
    end > 0 &&
    bytes.toString('base64url') === text &&
    checksum(project, bytes.subarray(0, end)).equals(bytes.subarray(end));
  const cursor = isWhole ? decode(bytes.subarray(0, end)) : undefined;
  if (cursor?.order === order) return cursor;
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  const message = `cursor=${shown} is none of this question; give the one of the answer before, with all other parameters as they were`;
  throw new AppError('invalid', message, { field: 'cursor' });
}

function decode(bytes: Uint8Array): CallCursor | undefined {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  const isRead = () => reader.at === bytes.length;
  const next = (): number => (reader.at < bytes.length ? reader.next() : Number.NaN);
  if (next() !== format) return undefined;
  const order = orders[next()];
  const lastNumber = next();
  const hasAfter = next();
  const after =
    hasAfter === 1
      ? { number: next(), endS: next(), endNs: next(), durationNs: next() - 1 }
      : undefined;
  const visitedFrom = lastNumber + 1 - next();
  const limit = next();
  const count = next();
  const found: number[] = [];
  let number = lastNumber;
  while (found.length < count && !isRead()) {
    number -= next();
    found.push(number);
  }
  const isComplete =
    isRead() && found.length === count && order !== undefined && visitedFrom >= 0 && number >= 0;
  if (!isComplete || hasAfter > 1) return undefined;
  return {
    order,
    lastNumber,
    ...(after && { after }),
    visitedFrom,
    found,
    ...(limit > 0 && { limit }),
  };
}

function checksum(project: string, bytes: Uint8Array): Buffer {
  const hash = createHash('sha256').update(`calls\0${project}\0`).update(bytes);
  return hash.digest().subarray(0, checksumBytes);
}
