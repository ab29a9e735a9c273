import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

/**
 * Certificates for tests, written as DER by hand: no tool a machine may lack, no fixture that expires.
 * X.509 v3 (RFC 5280), ECDSA with P-256 and SHA-256.
 */
export interface Authority {
  /** PEM. */
  cert: string;
  issue(name: string, times?: { fromMs: number; toMs: number }): Issued;
}

/** PEM, for 127.0.0.1, ::1 and localhost, as a server's and a client's. */
export interface Issued {
  cert: string;
  key: string;
}

const yearMs = 365 * 86_400_000;

export function authority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const times = { fromMs: now - yearMs, toMs: now + yearMs };
  const keyId = createHash('sha1').update(spki(keys.publicKey)).digest();
  const cert = certificate(name, keys.publicKey, name, keys.privateKey, times, [
    extension('2.5.29.19', sequence(boolean(true)), true),
    // Signs certificates and lists of revoked ones.
    extension('2.5.29.15', tagged(0x03, Buffer.from([1, 0b110])), true),
    extension('2.5.29.14', tagged(0x04, keyId)),
  ]);
  return {
    cert,
    issue(subject, validity = times) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = sequence(
        tagged(0x82, Buffer.from('localhost')),
        tagged(0x87, Buffer.from([127, 0, 0, 1])),
        tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
      );
      return {
        cert: certificate(subject, own.publicKey, name, keys.privateKey, validity, [
          extension('2.5.29.17', names),
          extension('2.5.29.35', sequence(tagged(0x80, keyId))),
        ]),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      };
    },
  };
}

/** Writes both files, over those of the same path. @returns the variables that name them */
export function writePair(path: string, { cert, key }: Issued) {
  const variables = { ROLLCALL_TLS_CERT: `${path}.crt`, ROLLCALL_TLS_KEY: `${path}.key` };
  writeFileSync(variables.ROLLCALL_TLS_CERT, cert);
  writeFileSync(variables.ROLLCALL_TLS_KEY, key);
  return variables;
}

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  extensions: Buffer[],
): string {
  const algorithm = sequence(identifier('1.2.840.10045.4.3.2'));
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    nameOf(issuer),
    sequence(time(fromMs), time(toMs)),
    nameOf(subject),
    spki(publicKey),
    tagged(0xa3, sequence(...extensions)),
  );
  const der = sequence(signed, algorithm, bits(sign('sha256', signed, issuerKey)));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function nameOf(name: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
}

function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [boolean(true)] : [];
  return sequence(identifier(oid), ...critical, tagged(0x04, value));
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(digits));
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function bits(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...items: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

function identifier(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}
