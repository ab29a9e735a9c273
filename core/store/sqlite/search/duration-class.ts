/**
 * A byte for a duration: a longer one never has a lesser class. Four classes for each doubling. 0 for durations below
 * 1 ns and calls without a latency.
 */
export function durationClass(durationNs: number): number {
  float[0] = durationNs;
  return classOf(words[1]!);
}

export function durationClassesOf(durationsNs: Float64Array): Uint8Array {
  const doubles = new Uint32Array(
    durationsNs.buffer,
    durationsNs.byteOffset,
    2 * durationsNs.length,
  );
  const classes = new Uint8Array(durationsNs.length);
  for (let i = 0; i < classes.length; i++) classes[i] = classOf(doubles[2 * i + 1]!);
  return classes;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** The exponent and the two bits behind it, from 2^0 on, out of the upper half of a double; its first bit is the sign. */
function classOf(upper: number): number {
  if (upper >= signBit) return 0;
  const exponentAndBits = (upper >>> 18) - (1023 << 2);
  return exponentAndBits < 0 ? 0 : Math.min(255, exponentAndBits + 1);
}

const signBit = 2 ** 31;

/** The least duration of a class. */
export function leastOfClass(classOfCall: number): number {
  if (classOfCall === 0) return -1;
  const steps = classOfCall - 1;
  return 2 ** Math.floor(steps / 4) * (1 + (steps % 4) / 4);
}
