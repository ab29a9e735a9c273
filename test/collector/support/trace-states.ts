import { limits } from '../../../core/limits.ts';
import type { Random } from '../../../core/random.ts';

/** What `ot` says of a span's weight, with strings and big integers: the oracle of collector/extract/sampling.ts. */
export function slowStateWeight(
  traceState: string,
  traceId: Uint8Array,
): number | 'unsaid' | 'unbelieved' {
  const member = traceState
    .split(',')
    .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
    .find((part) => part.startsWith('ot='));
  const fields = new Map<string, string>();
  for (const field of (member ?? '').slice(3).split(';')) {
    const [key, ...rest] = field.split(':');
    if (rest.length > 0 && !fields.has(key!)) fields.set(key!, rest.join(':'));
  }
  const [th, rv, p, r] = ['th', 'rv', 'p', 'r'].map((key) => fields.get(key));
  if (th !== undefined && /^[0-9a-f]{1,14}$/.test(th)) {
    const threshold = BigInt(`0x${th.padEnd(14, '0')}`);
    const bits = rv ?? Buffer.from(traceId).toString('hex').slice(-14);
    const isKept = /^[0-9a-f]{14}$/.test(bits) && BigInt(`0x${bits}`) >= threshold;
    const weight = slowCredible(2 ** 56 / Number(2n ** 56n - threshold));
    if ((isKept || bits === '') && weight !== 'unbelieved' && rv !== '') return weight;
  }
  if (p !== undefined && /^\d{1,2}$/.test(p) && Number(p) <= 63) {
    const most = r === undefined ? 62 : /^\d{1,2}$/.test(r) ? Number(r) : -1;
    if (Number(p) === 63) return 0;
    if (most <= 62 && Number(p) <= most) return slowCredible(2 ** Number(p));
  }
  return th === undefined && p === undefined ? 'unsaid' : 'unbelieved';
}

export function slowCredible(weight: number): number | 'unbelieved' {
  if (!(weight >= 1 && weight <= limits.callWeight)) return 'unbelieved';
  return Math.round(weight * 65_536) / 65_536;
}

/** Right, wrong and strange ones. */
export function randomTraceState(random: Random): string {
  const hex = (most: number) =>
    Array.from({ length: random.below(most + 1) }, () => random.pick([...'0123456789abcdef'])).join(
      '',
    );
  const value = () =>
    random.pick([
      () => hex(15),
      () => hex(3),
      () => hex(14).padEnd(14, 'f'),
      () => String(random.below(70)),
      () => '',
    ])();
  const field = () =>
    random.pick(['th', 'th', 'rv', 'p', 'r', 'x', 'thx', '']) +
    random.pick([':', ':', ':', '']) +
    value();
  const fields = () =>
    Array.from({ length: random.below(4) }, field).join(random.pick([';', ';', ';;', ',']));
  const member = () =>
    random.pick(['ot', 'ot', 'ot', 'o', 'ott', 'a']) + random.pick(['=', '=', '=', '']) + fields();
  const blank = () => random.pick(['', '', ' ', '\t ']);
  return Array.from({ length: random.below(4) }, () => blank() + member() + blank()).join(',');
}
