import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { createSecureContext, type Server, type TlsOptions } from 'node:tls';
import type { TlsFiles } from '../config/config.ts';
import { AppError, asAppError } from '../error.ts';
import { limits } from '../limits.ts';
import type { Log } from '../log.ts';

/** `certified`: only clients with a certificate of ROLLCALL_TLS_CLIENT_CA may connect, if that is set. */
export type TlsClients = 'anyone' | 'certified';

/** The certificate, key and authorities in use, read again when their files change. */
export interface Certificates {
  /** Options for `tls.createServer`; pass the server to `follow` afterwards. */
  options(clients: TlsClients): TlsOptions;
  /** Updates the server whenever the files change. Open connections are unaffected. */
  follow(server: Server, clients: TlsClients): void;
  /** Stops checking the files. */
  close(): void;
}

/** @throws AppError `invalid` with the variable, its file and the fault */
export async function openCertificates(
  files: TlsFiles,
  log: Log,
  checkMs: number = limits.certificateCheckMs,
): Promise<Certificates> {
  return new FileCertificates(files, log, checkMs, await readPems(files));
}

/** Checks the files before anything is started. @throws AppError as `openCertificates` */
export async function checkCertificates(files: TlsFiles): Promise<void> {
  await readPems(files);
}

/** The files' contents. */
interface Pems {
  cert: Buffer;
  key: Buffer;
  clientCa: Buffer | undefined;
  validTo: Date;
}

/**
 * Reads and compares the files at intervals. A file watcher would miss Kubernetes' updates, which replace a
 * symbolic link to a folder. A change is used when the next check finds no further one, because certificate and key
 * are two files.
 */
class FileCertificates implements Certificates {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #servers = new Set<{ server: Server; clients: TlsClients }>();
  #pems: Pems;
  /** File stamps at the last check; contents of the last failed load, so the same contents are not loaded twice. */
  #seen: string;
  #tried: string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(files: TlsFiles, log: Log, checkMs: number, pems: Pems) {
    this.#files = files;
    this.#log = log;
    this.#pems = pems;
    this.#seen = fingerprint(pems);
    this.#tried = this.#seen;
    if (pems.validTo.getTime() < Date.now()) {
      log.warn(`${named(files, 'cert')} expired on ${pems.validTo.toISOString()}`);
    }
    this.#wait(checkMs);
  }

  options(clients: TlsClients): TlsOptions {
    const { clientCa } = this.#pems;
    const asks = clients === 'certified' && clientCa !== undefined;
    return { ...this.#context(clients), requestCert: asks, rejectUnauthorized: asks };
  }

  follow(server: Server, clients: TlsClients): void {
    const follower = { server, clients };
    this.#servers.add(follower);
    server.once('close', () => this.#servers.delete(follower));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #context(clients: TlsClients): TlsOptions {
    const { cert, key, clientCa } = this.#pems;
    const ca = clients === 'certified' && clientCa !== undefined ? { ca: clientCa } : {};
    return { cert, key, ...ca, minVersion: 'TLSv1.2' };
  }

  #wait(checkMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.#look();
      this.#wait(checkMs);
    }, checkMs).unref();
  }

  async #look(): Promise<void> {
    const found = await readPems(this.#files).catch(asAppError);
    const seen = found instanceof AppError ? found.message : fingerprint(found);
    const stoodStill = seen === this.#seen;
    this.#seen = seen;
    if (!stoodStill || seen === this.#tried || this.#closed) return;
    this.#tried = seen;
    if (found instanceof AppError) {
      this.#log.error(`${found.message}; the certificate read before stays in use`);
      return;
    }
    this.#pems = found;
    for (const { server, clients } of this.#servers) {
      server.setSecureContext(this.#context(clients));
    }
    this.#log.info({ valid_to: found.validTo.toISOString() }, 'the certificate was read again');
  }
}

function fingerprint({ cert, key, clientCa }: Pems): string {
  const hash = createHash('sha256');
  for (const pem of [cert, key, clientCa]) hash.update(`${pem?.length ?? -1}:`).update(pem ?? '');
  return hash.digest('hex');
}

const variables = {
  cert: 'ROLLCALL_TLS_CERT',
  key: 'ROLLCALL_TLS_KEY',
  clientCa: 'ROLLCALL_TLS_CLIENT_CA',
} as const;

type Part = keyof typeof variables;

function named(files: TlsFiles, part: Part): string {
  return `${variables[part]}=${files[`${part}Path`]}`;
}

function wrong(files: TlsFiles, part: Part, why: string, cause?: unknown): AppError {
  const message = `${named(files, part)} ${why}`;
  return new AppError('invalid', message, { cause, field: variables[part] });
}

async function readPems(files: TlsFiles): Promise<Pems> {
  const cert = await readPem(files, 'cert');
  const key = await readPem(files, 'key');
  const clientCa = files.clientCaPath === undefined ? undefined : await readPem(files, 'clientCa');
  const [own] = certificatesIn(files, 'cert', cert);
  if (!own!.checkPrivateKey(privateKeyIn(files, key))) {
    throw wrong(files, 'key', `is not the key of the certificate in ${named(files, 'cert')}`);
  }
  if (clientCa !== undefined) certificatesIn(files, 'clientCa', clientCa);
  try {
    // OpenSSL's own checks: a key that is too short, a signature that is too weak.
    createSecureContext({ cert, key, ...(clientCa && { ca: clientCa }), minVersion: 'TLSv1.2' });
  } catch (error) {
    throw wrong(files, 'cert', `cannot be used: ${(error as Error).message}`, error);
  }
  return { cert, key, clientCa, validTo: new Date(own!.validTo) };
}

async function readPem(files: TlsFiles, part: Part): Promise<Buffer> {
  try {
    // Opening a FIFO would wait for its writer.
    const path = files[`${part}Path`]!;
    if (!(await stat(path)).isFile()) throw wrong(files, part, 'is not a regular file');
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size <= limits.pemBytes) return await file.readFile();
      throw wrong(files, part, `has ${size} bytes; the bound is ${limits.pemBytes}`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${message}`;
    throw wrong(files, part, why, error);
  }
}

/** All of them, at least one. */
function certificatesIn(files: TlsFiles, part: Part, pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(certificateBlock);
  if (blocks === null) throw wrong(files, part, 'holds no certificate in PEM form');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      const which = blocks.length === 1 ? 'its certificate' : `certificate ${index + 1} in it`;
      throw wrong(files, part, `cannot be used: ${which} is damaged`, error);
    }
  });
}

const certificateBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function privateKeyIn(files: TlsFiles, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    const why = isEncrypted
      ? 'is encrypted; only a key without a passphrase can be used'
      : 'holds no private key in PEM form';
    throw wrong(files, 'key', why, error);
  }
}
