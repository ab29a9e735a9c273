import { createHash } from 'node:crypto';
import { newKey, scopes } from '../../core/key.ts';
import type { Tenant } from './tenants.ts';

/** Somebody with something to send in place of a key. */
export interface Holder {
  name: string;
  /** Undefined: nothing is sent. */
  secret: string | undefined;
  /** Whose data it may be told of: at most one project's. */
  tenant: Tenant | undefined;
  may: 'nothing' | 'ingest' | 'read' | 'admin' | 'operate';
  /** In these headers alone; in every way unless told. */
  headers?: Record<string, string>;
}

/** Everybody there is: with good keys, revoked ones, what only looks like a key, and nothing. */
export function allHolders(adminKey: string, tenants: readonly [Tenant, Tenant]): Holder[] {
  const good = tenants.flatMap((tenant) =>
    scopes.map((scope) => {
      const secret = tenant.keys[scope].key;
      return { name: `${scope} of ${tenant.project}`, secret, tenant, may: scope };
    }),
  );
  const revoked = tenants.flatMap((tenant) =>
    scopes.map((scope) => ({
      name: `revoked ${scope} of ${tenant.project}`,
      secret: tenant.revoked[scope].key,
    })),
  );
  const { id, key, prefix } = tenants[0].keys.admin;
  const wrong: Record<string, string> = {
    'a key that was never made': newKey().text,
    'a key without its last character': key.slice(0, -1),
    'a key and one character more': `${key}A`,
    'the prefix of a key': prefix,
    'the id of a key': id,
    'the digest of a key': createHash('sha256').update(key).digest('hex'),
    'the name of a project': tenants[0].project,
    'most of the operator key': adminKey.slice(0, -1),
    'another case of the operator key': adminKey.toUpperCase(),
  };
  const unread: Record<string, Record<string, string>> = {
    'a key as a password': { authorization: `Basic ${Buffer.from(`u:${key}`).toString('base64')}` },
    'a key without a scheme': { authorization: key },
    'a key in a cookie': { cookie: `key=${key}; x-api-key=${key}` },
    'two keys': { authorization: `Bearer ${key} ${key}` },
    'a header without end': { 'x-api-key': key.padEnd(2000, 'A') },
  };
  const nothing = { tenant: undefined, may: 'nothing' } as const;
  return [
    ...good,
    { name: 'the operator', secret: adminKey, tenant: undefined, may: 'operate' },
    ...revoked.map((one) => ({ ...one, ...nothing })),
    ...Object.entries(wrong).map(([name, secret]) => ({ name, secret, ...nothing })),
    ...Object.entries(unread).map(([name, headers]) => ({
      name,
      secret: undefined,
      headers,
      ...nothing,
    })),
    { name: 'nobody', secret: undefined, ...nothing },
  ];
}

/** The headers in which a holder may send what it has. */
export function waysOf({ secret, headers }: Holder): Record<string, string>[] {
  if (secret === undefined) return [headers ?? {}];
  return [
    { authorization: `Bearer ${secret}` },
    { authorization: `Bearer%20${secret}` },
    { 'x-api-key': secret },
  ];
}

export const nobody: Holder = {
  name: 'everybody',
  secret: undefined,
  tenant: undefined,
  may: 'nothing',
};
