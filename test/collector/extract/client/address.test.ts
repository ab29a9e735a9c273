import { describe, expect, test } from 'vitest';
import {
  canonicalAddress,
  forwardedForHops,
  forwardedHops,
  networkOf,
  TrustedProxies,
} from '../../../../collector/extract/client/address.ts';
import type { AnyValue } from '../../../../collector/otlp/traces-encoder.ts';
import { AppError } from '../../../../core/error.ts';
import { callOf } from '../../support/extracting.ts';

describe('canonical address', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['"203.0.113.7:51234"', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:cb00:7107]:80', '203.0.113.7'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:203.0.113.7%eth0', '203.0.113.7'],
    ['192.0.2.43:_hidden', '192.0.2.43'],
    ['"[2001:db8::1]:_obf.7"', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::1', '::1'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test.each([
    '',
    ' ',
    'unknown',
    '_hidden',
    'localhost',
    'example.com:80',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '203.0.113.7/24',
    '2001:db8::1::2',
    '2001:db8:1',
    ':',
    '[]:80',
    '/var/run/app.sock',
    '-',
    `2001:db8::1%${'z'.repeat(200)}`,
  ])('%j is none', (text) => {
    expect(canonicalAddress(text)).toBe('');
  });
});

describe('trusted proxies', () => {
  test('private stands for loopback, link-local, RFC 1918 and unique local', () => {
    const proxies = new TrustedProxies(['private']);
    const trusted =
      '127.0.0.1 127.9.9.9 ::1 169.254.1.1 fe80::1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 fd00::1';
    for (const address of trusted.split(' '))
      expect([address, proxies.trusts(address)]).toEqual([address, true]);
    const others =
      '203.0.113.7 172.15.0.1 172.32.0.1 11.0.0.1 192.169.0.1 2001:db8::1 fe00::1 8.8.8.8';
    for (const address of others.split(' '))
      expect([address, proxies.trusts(address)]).toEqual([address, false]);
  });

  test('networks and single addresses of both families; none trusts nobody', () => {
    const proxies = new TrustedProxies(['203.0.113.0/24', '2001:db8::/32', '198.51.100.1']);
    expect(
      ['203.0.113.255', '2001:db8:ffff::1', '198.51.100.1'].map((a) => proxies.trusts(a)),
    ).toEqual([true, true, true]);
    expect(
      ['203.0.114.0', '2001:db9::1', '198.51.100.2', '127.0.0.1'].map((a) => proxies.trusts(a)),
    ).toEqual([false, false, false, false]);
    expect(new TrustedProxies(['none']).trusts('127.0.0.1')).toBe(false);
    expect(new TrustedProxies([]).trusts('127.0.0.1')).toBe(false);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', 'host', '::/129', '10.0.0/8', ''])(
    '%j is no network',
    (text) => {
      expect(() => new TrustedProxies([text])).toThrow(AppError);
      expect(() => new TrustedProxies([text])).toThrow(JSON.stringify(text));
    },
  );

  test('hops are walked from the right to the first that is not trusted', () => {
    const proxies = new TrustedProxies(['private']);
    const of = (...hops: string[]) => proxies.clientOf(hops);
    expect(of('203.0.113.7')).toBe('203.0.113.7');
    expect(of('198.51.100.23', '203.0.113.7')).toBe('203.0.113.7');
    expect(of('198.51.100.23', '203.0.113.7', '10.0.0.1', '127.0.0.1')).toBe('203.0.113.7');
    expect(of('10.0.0.5', '10.0.0.1')).toBe('10.0.0.5');
    expect(of('203.0.113.7', 'unknown', '10.0.0.1')).toBe('');
    expect(of()).toBe('');
  });
});

test('X-Forwarded-For is read over several headers', () => {
  expect(forwardedForHops(['a, b ,', ' c'])).toEqual(['a', 'b', 'c']);
});

test('Forwarded: quoted, in any case, beside other parameters, without for', () => {
  const header =
    'for="[2001:db8::7]:4711";proto=https, proto=http;For=203.0.113.7;by=x, by=10.0.0.1';
  expect(forwardedHops([header]).map(canonicalAddress)).toEqual(['2001:db8::7', '203.0.113.7', '']);
});

describe('X21: the client of a span', () => {
  const of = (attributes: Record<string, AnyValue>, trustedProxies = ['private']) => {
    const call = callOf({ 'http.route': '/a', ...attributes }, {}, { trustedProxies });
    return call.extracted.invalidClients > 0 ? 'invalid' : call.client;
  };
  const xff = 'http.request.header.x-forwarded-for';

  test('claimed by a trusted proxy, it stands; by another peer, the peer is the client', () => {
    const claimed = { 'client.address': '203.0.113.7' };
    expect(of({ ...claimed, 'network.peer.address': '10.0.0.1' })).toBe('203.0.113.7');
    expect(of({ ...claimed, 'network.peer.address': '::ffff:10.0.0.1' })).toBe('203.0.113.7');
    expect(of({ ...claimed, 'network.peer.address': '198.51.100.9' })).toBe('198.51.100.9');
    expect(of({ ...claimed, 'network.peer.address': '10.0.0.1' }, ['none'])).toBe('10.0.0.1');
    expect(of({ ...claimed, 'network.peer.address': '/run/app.sock' })).toBe('203.0.113.7');
    expect(of(claimed)).toBe('203.0.113.7');
  });

  test('names in the order of 2.1', () => {
    expect(of({ 'http.client_ip': '203.0.113.7', 'net.sock.peer.addr': '10.0.0.1' })).toBe(
      '203.0.113.7',
    );
    expect(of({ 'http.client.address': '203.0.113.7:80' })).toBe('203.0.113.7');
    expect(of({ 'client.address': '', 'http.client_ip': '203.0.113.7' })).toBe('203.0.113.7');
    expect(of({ 'net.peer.ip': '203.0.113.7' })).toBe('203.0.113.7');
    expect(of({ 'peer.address': '203.0.113.7', 'net.peer.ip': '10.0.0.1' })).toBe('10.0.0.1');
    expect(of({})).toBe('');
  });

  test('forwarding headers, when the peer is trusted or unknown', () => {
    const hops = { array: ['198.51.100.23, 203.0.113.7', '10.0.0.2'] };
    expect(of({ [xff]: hops })).toBe('203.0.113.7');
    expect(of({ [xff]: hops, 'network.peer.address': '10.0.0.1' })).toBe('203.0.113.7');
    expect(of({ [xff]: hops, 'network.peer.address': '192.0.2.1' })).toBe('192.0.2.1');
    expect(of({ [xff]: hops, 'client.address': '192.0.2.1' })).toBe('192.0.2.1');
    expect(of({ 'http.request.header.x_forwarded_for': '203.0.113.7' })).toBe('203.0.113.7');
    expect(of({ 'http.request.header.forwarded': { array: ['for=203.0.113.7'] } })).toBe(
      '203.0.113.7',
    );
    expect(of({ 'http.request.header.x-real-ip': { array: ['203.0.113.7'] } })).toBe('203.0.113.7');
    expect(of({ 'http.request.header.cf_connecting_ip': ['203.0.113.7'].join() })).toBe(
      '203.0.113.7',
    );
    expect(of({ [xff]: { array: [] }, 'network.peer.address': '10.0.0.1' })).toBe('10.0.0.1');
  });

  test.each([
    ['x-forwarded-for', ['203.0.113.99, 203.0.113.7', '10.0.0.2']],
    ['forwarded', ['for=203.0.113.99', 'for="203.0.113.7:_x";proto=https, for=10.0.0.2']],
    ['x-real-ip', ['203.0.113.99', '203.0.113.7']],
    ['cf-connecting-ip', ['203.0.113.99', '203.0.113.7']],
  ])('%s counts only from a trusted proxy, walked from the right', (name, values) => {
    const header = { [`http.request.header.${name}`]: { array: values } };
    expect(of({ ...header, 'network.peer.address': '10.0.0.1' })).toBe('203.0.113.7');
    expect(of({ ...header, 'network.peer.address': '[::ffff:10.0.0.1]:80' })).toBe('203.0.113.7');
    expect(of({ ...header, 'network.peer.address': '192.0.2.1' })).toBe('192.0.2.1');
    expect(of({ ...header, 'network.peer.address': '10.0.0.1' }, ['192.0.2.0/24'])).toBe(
      '10.0.0.1',
    );
    expect(of({ ...header, 'network.peer.address': '10.0.0.1' }, [])).toBe('10.0.0.1');
    // Nobody knows the peer: whoever trusts nobody does not trust it either.
    expect(of(header)).toBe('203.0.113.7');
    expect(of(header, [])).toBe('');
  });

  test('a captured list is walked from the right even where client.address is set', () => {
    // davidB/tracing-opentelemetry-instrumentation-sdk#68, opentelemetry-beam/opentelemetry_phoenix#15.
    const list = { [xff]: { array: ['1.1.1.1, 198.51.100.7'] }, 'client.address': '1.1.1.1' };
    expect(of({ ...list, 'network.peer.address': '10.0.3.4' })).toBe('198.51.100.7');
    expect(of(list)).toBe('198.51.100.7');
    // A peer that is no trusted proxy may write any header.
    expect(of({ ...list, 'network.peer.address': '192.0.2.9' })).toBe('192.0.2.9');
    // Two proxies of ours, and RFC 7239's header.
    const two = { [xff]: '1.1.1.1, 198.51.100.7, 10.0.0.5', 'client.address': '1.1.1.1' };
    expect(of({ ...two, 'net.peer.ip': '10.0.3.4' })).toBe('198.51.100.7');
    const forwarded = { 'http.request.header.forwarded': 'for=1.1.1.1, for=198.51.100.7' };
    expect(of({ ...forwarded, 'client.address': '1.1.1.1', 'net.peer.ip': '10.0.3.4' })).toBe(
      '198.51.100.7',
    );
    // Without the trust there is no header to believe.
    expect(of({ ...list, 'network.peer.address': '10.0.3.4' }, [])).toBe('10.0.3.4');
  });

  test.each([
    // grafana/beyla#921: the name of a Kubernetes workload. uvicorn's and test clients' names.
    'frontend.shop',
    'unknown',
    'localhost',
    'testclient',
    'unix:',
    '-',
  ])('the name %j in client.address falls back to the header, then the peer', (name) => {
    const named = { 'client.address': name, 'network.peer.address': '10.0.0.7' };
    expect(of({ ...named, [xff]: '1.1.1.1, 198.51.100.7' })).toBe('198.51.100.7');
    expect(of({ 'client.address': name, [xff]: '198.51.100.7' })).toBe('198.51.100.7');
    expect(of(named)).toBe('10.0.0.7');
    expect(of({ 'http.client_ip': name, 'net.sock.peer.addr': '203.0.113.102' })).toBe(
      '203.0.113.102',
    );
    expect(of({ 'client.address': name })).toBe('invalid');
  });

  test('what is no address is nothing, and counted', () => {
    expect(of({ 'client.address': 'unknown' })).toBe('invalid');
    expect(of({ 'client.address': 'unknown', 'network.peer.address': '192.0.2.1' })).toBe(
      '192.0.2.1',
    );
    expect(of({ 'network.peer.address': '/run/app.sock' })).toBe('invalid');
    expect(of({ [xff]: 'unknown, 10.0.0.1' })).toBe('invalid');
    expect(of({ 'client.address': 'x'.repeat(5000) })).toBe('invalid');
  });
});

describe('networks', () => {
  test.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['255.255.255.255', '255.255.255.0/24'],
    ['2001:db8:85a3:1234::7334', '2001:db8:85a3::/48'],
    ['::1', '::/48'],
    ['fe80::1', 'fe80::/48'],
    // 6to4: 203.0.113.77 in bits 16 to 47.
    ['2002:cb00:714d::1', '2002:cb00:7100::/40'],
    ['64:ff9b::cb00:714d', '64:ff9b::/48'],
    ['no address', ''],
  ])('%s is in %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
