import type { Random } from '../../../core/random.ts';
import { randomTraceState } from './trace-states.ts';
import {
  type Arrange,
  bytesField,
  doubleField,
  type Field,
  fixed32Field,
  fixed64Field,
  varintField,
} from './wire.ts';

/**
 * Export requests of every shape a sender could make: old and new names, numbers in every type, values
 * that are missing, empty, wrong, long and not UTF-8, wrong ids and times.
 */
export function randomRequest(random: Random, arrange: Arrange, nowMs: number): Buffer {
  const times = (count: number, make: () => Field): Field[] =>
    Array.from({ length: random.below(count + 1) }, make);
  const resourceSpans = () =>
    bytesField(
      1,
      arrange([
        ...(random.below(8) === 0 ? [] : [bytesField(1, resource(random, arrange))]),
        ...times(3, () =>
          bytesField(
            2,
            arrange([
              ...scope(random, arrange),
              ...times(8, () => bytesField(2, randomSpan(random, arrange, nowMs), random.below(2))),
            ]),
          ),
        ),
      ]),
    );
  return arrange(times(3, resourceSpans));
}

function scope(random: Random, arrange: Arrange): Field[] {
  const name = random.pick(['http', '', undefined, 'org.springframework.boot', 'kong-internal']);
  if (name === undefined) return [];
  return [bytesField(1, arrange([bytesField(1, name), bytesField(2, '1.0')]))];
}

function resource(random: Random, arrange: Arrange): Buffer {
  const fields: Field[] = [];
  for (const key of resourceKeys) {
    if (random.below(2) === 0) continue;
    fields.push(attribute(1, key, anyValue(random, arrange, texts), arrange, random));
  }
  return arrange(fields);
}

function randomSpan(random: Random, arrange: Arrange, nowMs: number): Buffer {
  const endNs = BigInt(nowMs - random.below(1e9)) * 1_000_000n + BigInt(random.below(1e6));
  const fields = [
    bytesField(1, bytes(random, random.below(12) === 0 ? random.below(20) : 16)),
    bytesField(2, bytes(random, random.below(12) === 0 ? random.below(10) : 8)),
    bytesField(3, random.below(2) === 0 ? '' : randomTraceState(random)),
    bytesField(4, bytes(random, 8)),
    bytesField(5, random.pick(names)),
    varintField(6, random.below(3) === 0 ? random.below(6) : 2),
    fixed64Field(7, time(random, endNs - BigInt(random.below(2e9)) + 1_000_000n)),
    fixed64Field(8, time(random, endNs)),
    ...spanAttributes(random, arrange),
    fixed32Field(16, 0x101),
  ];
  for (let i = random.below(3); i > 0; i -= 1) fields.push(event(random, arrange));
  if (random.below(2) === 0) {
    const code = random.below(3);
    fields.push(bytesField(15, arrange([bytesField(2, 'message'), varintField(3, code)])));
  }
  return arrange(fields);
}

function time(random: Random, usual: bigint): bigint {
  if (random.below(10) > 0) return usual;
  return random.pick([
    0n,
    1n,
    usual + 3_600_000_000_000n,
    usual - 100_000_000_000_000_000n,
    2n ** 63n + 5n,
    2n ** 64n - 1n,
    (usual / 1_000_000_000n) * 1_000_000_000n,
    (usual / 1_000_000_000n) * 1_000_000_000n - 1n,
  ]);
}

function spanAttributes(random: Random, arrange: Arrange): Field[] {
  const fields: Field[] = [];
  for (let i = random.below(16); i > 0; i -= 1) {
    const [keys, values] = random.pick(spanKeys);
    fields.push(
      attribute(9, random.pick(keys), anyValue(random, arrange, values), arrange, random),
    );
  }
  return fields;
}

function event(random: Random, arrange: Arrange): Field {
  const fields = [
    fixed64Field(1, 1n),
    bytesField(2, random.pick(['exception', 'exception', 'log', ''])),
  ];
  const key = random.pick(['exception.type', 'exception.message']);
  fields.push(attribute(3, key, anyValue(random, arrange, ['ValueError', '']), arrange, random));
  return bytesField(11, arrange(fields));
}

function attribute(
  field: number,
  key: string,
  value: Buffer | null,
  arrange: Arrange,
  random: Random,
): Field {
  const fields = [bytesField(1, key)];
  if (value) fields.push(bytesField(2, value, random.below(10) === 0 ? 1 : 0));
  return bytesField(field, arrange(fields));
}

/** One of the texts, mostly as it is: as a string, or as the number that it says. */
function anyValue(
  random: Random,
  arrange: Arrange,
  from: readonly (string | Buffer)[],
): Buffer | null {
  const text = random.pick(from);
  const number = Number(text);
  const isNumber = typeof text === 'string' && text.trim() !== '' && !Number.isNaN(number);
  if (isNumber && random.below(3) > 0) {
    if (Number.isInteger(number) && random.below(3) > 0) {
      return arrange([varintField(3, BigInt(number), random.below(6) === 0 ? 2 : 0)]);
    }
    return arrange([doubleField(4, number)]);
  }
  switch (random.below(24)) {
    case 0:
      return null;
    case 1:
      return arrange([]);
    case 2:
      return arrange([varintField(2, random.below(2))]);
    case 3:
      return arrange([bytesField(7, text)]);
    case 4:
    case 5: {
      const items = Array.from({ length: random.below(4) }, () =>
        bytesField(1, arrange([bytesField(1, random.pick(from))])),
      );
      return arrange([bytesField(5, arrange(items))]);
    }
    case 6:
      return arrange([bytesField(6, arrange([bytesField(1, arrange([bytesField(1, 'k')]))]))]);
    case 7:
      return arrange([varintField(3, -(BigInt(random.u32()) ** 2n) / 2n)]);
    default:
      return arrange([bytesField(1, text, random.below(12) === 0 ? 1 : 0)]);
  }
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

const long = 'ü'.repeat(700);
const broken = Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x80]);
const texts = ['shop', 'prod', '1.2.3', '', long, broken, 'a\0b', '42', '1.5'];
const names = [
  'GET',
  'GET /users/{id}',
  'POST /orders',
  'get it',
  'HTTP',
  '',
  '/a/b',
  'GET /x/1',
  'get /books/{id}',
  'GET:/a/{b}',
  '{POST}/a/7',
  'http put /c',
  'http:/a',
  'get/a',
  'post',
  long,
];

const resourceKeys = [
  'service.name',
  'service.version',
  'deployment.environment.name',
  'deployment.environment',
  'host.name',
  'service.instance.id',
  'service.name',
];

const routes = [
  '/users/:id',
  '/users/{id}',
  '',
  '/orders',
  '/files/*',
  '*',
  '/**',
  '/api/v1',
  '/error',
  long,
];
const paths = [
  '/users/42',
  '/users/42?q=secret',
  '/orders',
  '/',
  '//users//7/',
  '/api/v1/things/9',
  '/files/a/b.txt#top',
  '/users/J%C3%BCrgen',
  '',
  broken,
];
const urls = [
  'http://host:80/users/42?x=1',
  'https://host',
  '/users/1',
  'http://h?q=/a/b',
  'http://',
  '/users/1?next=http://evil/a/b/c',
  '://h/a',
  'weird:/x/y',
  'ws://h/rooms/9',
  'urn:a:b',
];
const addresses = [
  '203.0.113.7',
  '198.51.100.23',
  '10.0.0.1',
  '127.0.0.1:5555',
  '[2001:db8::1]:443',
  '2001:DB8:0:0::1',
  '::ffff:203.0.113.7',
  'fe80::1%eth0',
  'unknown',
  '203.0.113.7, 10.0.0.2',
  '127.1',
  '/var/run/app.sock',
  '',
  'for="[2001:db8::7]:4711";proto=https, for=10.0.0.3',
  `${'1'.repeat(130)}`,
];
const agents = [
  'curl/8.5.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'python-requests/2.32',
  '',
  long,
  broken,
];
const statuses = [
  '200',
  '404',
  '405',
  '500',
  '503',
  '101',
  '0',
  '99',
  '1000',
  '201.7',
  'abc',
  '',
  ' 204 ',
  '422',
];
const sizes = ['0', '17', '128', '16384', '9007199254740991', '-1', 'NaN', '1e3', 'x', 'Infinity'];

const header = (name: string) => [
  `http.request.header.${name}`,
  `http.request.header.${name.replaceAll('-', '_')}`,
];

const spanKeys: [string[], (string | Buffer)[]][] = [
  [
    ['http.request.method', 'http.method'],
    ['GET', 'get', 'POST', '_OTHER', 'BREW', '', 'gEt', 'PROPFIND'],
  ],
  [['http.request.method_original'], ['QUERY', 'query', 'BREW', '']],
  [['http.response.status_code', 'http.status_code'], statuses],
  [['http.response.status_code', 'http.status_code'], statuses],
  [['http.route', 'http.route', 'http.route', 'url.template', 'next.route'], routes],
  [['url.path', 'url.path', 'http.target'], paths],
  [['url.full', 'http.url'], urls],
  [['client.address', 'http.client_ip', 'http.client.address'], addresses],
  [['network.peer.address', 'net.sock.peer.addr', 'net.peer.ip', 'peer.address'], addresses],
  [[...header('x-forwarded-for'), ...header('forwarded')], addresses],
  [[...header('x-real-ip'), ...header('cf-connecting-ip')], addresses],
  [['user_agent.original', 'http.user_agent', 'user_agent'], agents],
  [['user_agent.synthetic.type'], ['bot', 'test', '']],
  [['error.type'], ['TimeoutError', '500', '', long]],
  [['http.request.body.size', 'http.request_content_length', 'http.request.size'], sizes],
  [['http.response.body.size', 'http.response_content_length', 'http.response.size'], sizes],
  [
    ['enduser.id', 'user.id', 'uid', 'http.request.header.x-api-key'],
    ['alice', '42', '-7', '1.5', '', long],
  ],
  [
    ['url.scheme', 'http.scheme'],
    ['http', 'https', 'ws', 'wss', 'WSS', 'wsx', 'w', ''],
  ],
  [['http.request.header.upgrade'], ['websocket', 'h2c', '']],
  [
    ['http.request.header.accept'],
    ['text/event-stream', 'application/json, text/event-stream', '*/*', ''],
  ],
  [['server.address', 'thread.id', 'net.host.port', 'k', ''], texts],
  [
    ['rpc.system', 'rpc.system.name', 'rpc.systems'],
    ['grpc', 'http', 'twirp', ''],
  ],
  [
    ['http.response.header.content-type', 'http.response.header.content_type'],
    ['text/event-stream', 'Text/Event-Stream; charset=utf-8', 'text/html', ''],
  ],
  [['method'], ['GET', 'put', 'createOrder', '']],
  [['uri'], ['/orders/{orderId}', '/orders/1', 'UNKNOWN', '/**', '']],
  [
    ['status', 'status_code'],
    ['200', '503', 'shipped', ''],
  ],
  [['exception'], ['none', 'IllegalStateException', '']],
  [['url', 'http.path'], urls],
  [['rpc.service'], ['shop.Cart', '', long, broken]],
  [['rpc.method'], ['AddItem', 'shop.Cart/AddItem', '_OTHER', '', long]],
  [
    ['rpc.response.status_code', 'rpc.status_code', 'rpc.grpc.status_code'],
    ['0', '5', '12', '17', '404', '503', 'OK', 'UNAVAILABLE', 'x', ''],
  ],
  [
    ['faas.trigger', 'faas.execution', 'faas.invocation_id'],
    ['http', ''],
  ],
  [['X-SampleRatio'], ['0.25', '1', '0', '2', '0.3', 'x', '']],
  [['SampleRate'], ['1', '20', '2.5', '0', 'x', '']],
  [['sampler.type'], ['probabilistic', 'probabilistic', 'const', '']],
  [['sampler.param'], ['0.5', '0.001', '1', '7', '']],
];
