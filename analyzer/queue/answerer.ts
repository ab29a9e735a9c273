import { AppError } from '../../core/error.ts';
import type { ConsumerStore } from '../../core/store/annotations/consumers.ts';
import type { EventStore } from '../../core/store/annotations/events.ts';
import type { ArrivalStore } from '../../core/store/arrivals.ts';
import type { DecisionStore } from '../../core/store/decisions.ts';
import type { InventoryStore } from '../../core/store/inventory.ts';
import type { CallReader, EndpointStore, Snapshot } from '../../core/store/store.ts';
import type { VerdictStore } from '../../core/store/verdicts.ts';
import { isoTime } from '../../core/window.ts';
import { projectCommands } from '../api/project-commands.ts';
import { queries } from '../api/queries.ts';
import { type OwnerRule, Owners } from '../inventory/owners.ts';
import { InventoryReader } from '../inventory/reader.ts';
import type { QueryContext, Thresholds } from '../query/answer-head.ts';
import { type FormatName, formats } from '../query/formats.ts';
import { RememberedLists } from '../query/remembered-lists.ts';
import {
  type WrittenAnswer,
  writtenAnswer,
  writtenPdf,
  writtenText,
} from '../query/written-answer.ts';

/** A query or a command with its validated parameters: plain values, which may cross to another thread. */
export interface Question {
  project: string;
  /** Of the query (analyzer/api/queries.ts) or command (analyzer/api/project-commands.ts). */
  name: string;
  parameters: object;
  /** Parts of the address by name. */
  path: Record<string, string>;
  /** The moment of the answer, milliseconds since the epoch. */
  nowMs: number;
}

export interface CommandQuestion extends Question {
  body: string;
}

/** Answers queries, one at a time, and runs commands that read the store. */
export interface Answerer {
  /** @throws AppError as the query does; `unavailable` when the store cannot be read or the answer was abandoned */
  answer(question: Question): Promise<WrittenAnswer>;
  /** Nobody waits for the answer to the query under way any more: it may stop at its next read of the store. */
  abandon(): void;
  /** May run beside queries and other commands. @returns undefined for a command that answers nothing */
  command(question: CommandQuestion): Promise<WrittenAnswer | undefined>;
  /** @throws AppError `unavailable` */
  check(): Promise<void>;
  /** Rows of the store that answers found damaged and left out. */
  damagedRows?(): number;
  /** Resolves with the reason when it can never answer again, other than by `close`. */
  readonly lost?: Promise<Error>;
  close(): Promise<void>;
}

export interface AnswererOptions {
  thresholds: Thresholds;
  /** ROLLCALL_CLIENT_PRIVACY=hash. */
  clientsAreHashed: boolean;
  /** ROLLCALL_TRACE_URL */
  traceUrl?: string | undefined;
  /** Of the file that ROLLCALL_OWNERS names; none when absent. */
  ownerRules?: readonly OwnerRule[];
}

export interface AnswererStores {
  reader: CallReader;
  /** @throws AppError `unavailable` */
  inventories: () => Promise<InventoryStore>;
  /** @throws AppError `unavailable` */
  decisions: () => Promise<DecisionStore>;
  /** @throws AppError `unavailable` */
  verdicts: () => Promise<VerdictStore>;
  /** @throws AppError `unavailable` */
  arrivals: () => Promise<ArrivalStore>;
  /** @throws AppError `unavailable` */
  consumers: () => Promise<ConsumerStore>;
  /** @throws AppError `unavailable` */
  events: () => Promise<EventStore>;
  /** @throws AppError `unavailable` */
  endpoints: () => Promise<EndpointStore>;
}

/** Answers on the thread that calls it. Its owner closes the stores. */
export class LocalAnswerer implements Answerer {
  readonly #stores: AnswererStores;
  readonly #options: AnswererOptions;
  readonly #lists = new RememberedLists();
  readonly #uploads: InventoryReader;
  readonly #owners: Owners;
  #isAbandoned = false;

  /** @param inventoryMiB as of InventoryReader */
  constructor(stores: AnswererStores, options: AnswererOptions, inventoryMiB?: number) {
    this.#uploads = new InventoryReader(inventoryMiB);
    this.#stores = stores;
    this.#options = options;
    this.#owners = new Owners(options.ownerRules ?? []);
  }

  /** @param isAbandonedElsewhere another reason to stop, which another thread may give */
  async answer(
    question: Question,
    isAbandonedElsewhere: () => boolean = () => false,
  ): Promise<WrittenAnswer> {
    this.#isAbandoned = false;
    const isAbandoned = () => this.#isAbandoned || isAbandonedElsewhere();
    const query = queries.find(({ name }) => name === question.name)!;
    const { parameters, path, nowMs } = question;
    const { format, bom } = parameters as { format?: FormatName | 'pdf'; bom?: 'true' | 'false' };
    const ask = <T>(answer: (context: QueryContext) => Promise<T>) =>
      this.#ask(question, answer, (snapshot) => stoppable(snapshot, isAbandoned));
    if (format === 'pdf') {
      // Loaded with its fonts when the first document is asked for.
      const { pdfOf } = await import('../pdf/documents.ts');
      const bytes = await ask((context) => pdfOf(query.name, context, parameters));
      return writtenPdf(bytes, query.name, isoTime(nowMs));
    }
    const body = await ask((context) => query.answer(context, parameters as never, path));
    return writtenAnswer(body, { ...query, format, bom });
  }

  abandon(): void {
    this.#isAbandoned = true;
  }

  async command(question: CommandQuestion): Promise<WrittenAnswer | undefined> {
    const command = projectCommands.find(({ name }) => name === question.name)!;
    const answer = await command.run({
      ...question,
      parameters: question.parameters as never,
      inventories: await this.#stores.inventories(),
      decisions: await this.#stores.decisions(),
      verdicts: await this.#stores.verdicts(),
      arrivals: await this.#stores.arrivals(),
      consumers: await this.#stores.consumers(),
      events: await this.#stores.events(),
      endpoints: await this.#stores.endpoints(),
      ask: (answer) => this.#ask(question, answer),
      readInventory: (text) => this.#uploads.read(text),
    });
    const { format } = question.parameters as { format?: FormatName };
    if (answer && format === 'md' && command.markdown) {
      return writtenText(formats.md.contentType, command.markdown(answer as never));
    }
    return answer && writtenAnswer(answer, command);
  }

  check(): Promise<void> {
    return this.#stores.reader.check();
  }

  damagedRows(): number {
    return this.#stores.reader.damagedRows?.() ?? 0;
  }

  /** Gives their memory back: later pages of a list are computed again. */
  forgetLists(): void {
    this.#lists.clear();
  }

  async close(): Promise<void> {}

  #ask<T>(
    { project, nowMs }: Question,
    answer: (context: QueryContext) => Promise<T>,
    wrapped: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot,
  ): Promise<T> {
    return this.#stores.reader.snapshot(project, async (read) => {
      const snapshot = wrapped(read);
      return answer({
        ...this.#options,
        project,
        snapshot,
        nowMs,
        newestCallMs: await snapshot.newestCallMs(),
        lists: this.#lists,
        owners: this.#owners,
      });
    });
  }
}

/** A snapshot whose every read fails once the answer is abandoned. */
function stoppable(snapshot: Snapshot, isAbandoned: () => boolean): Snapshot {
  return new Proxy(snapshot, {
    get(target, name) {
      if (isAbandoned()) throw new AppError('unavailable', 'nobody waits for this answer any more');
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
