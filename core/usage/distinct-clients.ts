/** 2^12 registers of the HyperLogLog that counts beyond the bound: standard error 1.04/√4096 = 1.6 %. */
const registerBits = 12;
export const registerCount = 1 << registerBits;

/** A bijection of 32-bit integers that spreads them (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Counts a client in. */
export function observe(registers: Uint8Array, client: number): void {
  const hash = mix(client ^ 0x5bd1e995);
  const register = hash >>> (32 - registerBits);
  const rank = Math.clz32((hash << registerBits) | (1 << (registerBits - 1))) + 1;
  if (rank > registers[register]!) registers[register] = rank;
}

/** HyperLogLog with linear counting for small numbers (Flajolet et al. 2007). */
export function estimate(registers: Uint8Array): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros += 1;
  }
  const raw = ((0.7213 / (1 + 1.079 / registerCount)) * registerCount ** 2) / sum;
  if (raw <= 2.5 * registerCount && zeros > 0) {
    return Math.round(registerCount * Math.log(registerCount / zeros));
  }
  const range = 2 ** 32;
  return Math.round(raw > range / 30 ? -range * Math.log(1 - raw / range) : raw);
}
