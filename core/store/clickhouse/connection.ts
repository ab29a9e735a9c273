import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { AppError } from '../../error.ts';
import { limits } from '../../limits.ts';

/** Values of a query's parameters, `{name:Type}` in its text: never part of the text. */
export type Parameters = Record<string, string | number | readonly string[]>;

/**
 * A ClickHouse server by its HTTP interface. Every query carries its own settings, since a server's profile may say
 * anything; nothing is left to the server's defaults that decides what an answer means.
 */
export class Connection {
  /** For messages: without user and password. */
  readonly name: string;
  readonly database: string;
  readonly #headers: Record<string, string>;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #target: RequestOptions;
  /** Path with the database and the settings, by kind of query: made once, since each query is one. */
  readonly #paths: Record<'insert' | 'read' | 'run', string>;

  /** @param text `clickhouse://user:password@host:8123/database`; `clickhouses://` for TLS */
  constructor(text: string) {
    const url = new URL(text);
    const isTls = url.protocol === 'clickhouses:';
    const port = url.port || (isTls ? '8443' : '8123');
    this.database = decodeURIComponent(url.pathname.slice(1)) || 'rollcall';
    this.name = `${url.protocol}//${url.hostname}:${port}/${this.database}`;
    this.#headers = {
      'x-clickhouse-user': decodeURIComponent(url.username) || 'default',
      'x-clickhouse-key': decodeURIComponent(url.password),
    };
    const options = { keepAlive: true, maxSockets: 8 };
    this.#agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);
    this.#request = isTls ? httpsRequest : httpRequest;
    this.#target = {
      method: 'POST',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      agent: this.#agent,
      timeout: limits.clickhouseMs,
    };
    const path = `/?database=${encodeURIComponent(this.database)}`;
    this.#paths = {
      insert: `${path}&${textOf(insertSettings)}`,
      read: `${path}&${textOf(readSettings)}`,
      run: `${path}&${textOf(runSettings)}`,
    };
  }

  /** Runs a query that returns no rows. */
  async run(query: string, parameters: Parameters = {}): Promise<void> {
    await this.#ask(query, parameters, undefined);
  }

  /** The rows of a query, all of them in memory. The query names no format. */
  async rows<T>(query: string, parameters: Parameters = {}): Promise<T[]> {
    const bytes = await this.#ask(`${query} FORMAT JSONEachRow`, parameters, undefined);
    const rows: T[] = [];
    for (const line of bytes.toString().split('\n')) {
      if (line !== '') rows.push(JSON.parse(line) as T);
    }
    return rows;
  }

  /** The rows of a query in the format RowBinary. */
  async bytes(query: string, parameters: Parameters = {}): Promise<Buffer> {
    return this.#ask(`${query} FORMAT RowBinary`, parameters, undefined);
  }

  /** The same piece by piece, as it comes. */
  async *stream(query: string, parameters: Parameters = {}): AsyncIterable<Buffer> {
    yield* await this.#send(`${query} FORMAT RowBinary`, parameters, undefined);
  }

  /**
   * Inserts rows as one part, durable when this resolves (the tables have fsync_after_insert). When it rejects, the
   * rows may be stored or not.
   * @param columns of the table, in the order of the bytes @param body rows in the format RowBinary
   */
  async insert(table: string, columns: readonly string[], body: Uint8Array): Promise<void> {
    const query = `INSERT INTO ${table} (${columns.join(', ')}) FORMAT RowBinary`;
    await this.#ask(query, {}, body);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(query: string, parameters: Parameters, body: Uint8Array | undefined): Promise<Buffer> {
    const parts: Buffer[] = [];
    try {
      for await (const part of await this.#send(query, parameters, body)) parts.push(part);
    } catch (error) {
      throw error instanceof AppError ? error : this.#away(error as Error);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** @throws AppError `unavailable` */
  #send(
    query: string,
    parameters: Parameters,
    body: Uint8Array | undefined,
  ): Promise<AsyncIterable<Buffer>> {
    const kind = body ? 'insert' : query.startsWith('SELECT') ? 'read' : 'run';
    // The database may not exist yet when it is made.
    let path = query.startsWith('CREATE DATABASE') ? plainPath : this.#paths[kind];
    for (const name in parameters) {
      path += `&param_${name}=${encodeURIComponent(parameterText(parameters[name]!))}`;
    }
    if (body) path += `&query=${encodeURIComponent(query)}`;
    const payload = body ?? Buffer.from(query);
    return new Promise((resolve, reject) => {
      const options = {
        ...this.#target,
        path,
        headers: { ...this.#headers, 'content-length': payload.length },
      };
      const request = this.#request(options, (response) => {
        if (response.statusCode === 200) resolve(response);
        else this.#refusal(response).then(reject, reject);
      });
      request.on('timeout', () => {
        request.destroy(new Error(`no answer within ${limits.clickhouseMs} ms`));
      });
      request.on('error', (error) => reject(this.#away(error)));
      request.end(payload);
    });
  }

  async #refusal(response: IncomingMessage): Promise<AppError> {
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString().slice(0, limits.errorMessageBytes).trim();
    return new AppError('unavailable', `${this.name} refuses: ${text || response.statusCode}`, {
      cause: new ServerError(Number(response.headers['x-clickhouse-exception-code'] ?? 0)),
    });
  }

  #away(error: Error): AppError {
    return new AppError('unavailable', `${this.name} does not answer: ${error.message}`, {
      cause: error,
    });
  }
}

/** The code of a refusal, as ClickHouse numbers them. */
export class ServerError extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`ClickHouse's error ${code}`);
    this.code = code;
  }
}

/** Whether the server refused a query with this code; false when it did not answer. */
export function isRefusal(error: unknown, code: number): boolean {
  return (
    error instanceof AppError && error.cause instanceof ServerError && error.cause.code === code
  );
}

/** One synchronous part for each INSERT. The same row twice is stored twice: rows are told apart by their keys. */
const insertSettings = {
  async_insert: 0,
  insert_deduplicate: 0,
  max_insert_block_size: 100_000_000,
  min_insert_block_size_rows: 0,
  min_insert_block_size_bytes: 0,
  max_execution_time: 30,
  max_memory_usage: 2_000_000_000,
} as const;

const readSettings = {
  max_execution_time: 60,
  max_memory_usage: 4_000_000_000,
  readonly: 2,
} as const;

const runSettings = { max_execution_time: 60, insert_deduplicate: 0, async_insert: 0 } as const;

function textOf(settings: Record<string, number>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const plainPath = `/?${textOf(runSettings)}`;

/** In the spelling of ClickHouse's text formats. */
function parameterText(value: Parameters[string]): string {
  if (typeof value === 'number') return `${value}`;
  if (typeof value === 'string') return escaped(value);
  return `[${value.map((item) => `'${escaped(item)}'`).join(',')}]`;
}

function escaped(text: string): string {
  return text.replace(/[\\'\t\n\r\0]/g, (found) => {
    return { '\\': '\\\\', "'": "\\'", '\t': '\\t', '\n': '\\n', '\r': '\\r' }[found] ?? '\\0';
  });
}
