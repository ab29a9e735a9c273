/** Protobuf fields of well-formed bytes, one after the other, for putting them together differently. */
export interface Field {
  number: number;
  wireType: number;
  /** Tag, length and content. */
  bytes: Buffer;
  /** Of a field with a length; empty for others. */
  content: Buffer;
}

/** @returns what could be read: fields up to the first mistake */
export function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const start = at;
    const tag = varintAt(message, at);
    if (tag === undefined || tag.value < 8) return fields;
    const wireType = tag.value & 7;
    let contentStart = tag.end;
    const length = wireType === 2 ? varintAt(message, tag.end) : undefined;
    if (wireType === 0) at = varintAt(message, tag.end)?.end ?? Number.NaN;
    else if (wireType === 1) at = tag.end + 8;
    else if (wireType === 5) at = tag.end + 4;
    else if (length !== undefined) {
      contentStart = length.end;
      at = length.end + length.value;
    } else return fields;
    if (!(at <= message.length)) return fields;
    fields.push({
      number: Math.floor(tag.value / 8),
      wireType,
      bytes: message.subarray(start, at),
      content: wireType === 2 ? message.subarray(contentStart, at) : message.subarray(at, at),
    });
  }
  return fields;
}

/** The varint that begins here; undefined when it is none of at most ten bytes. */
export function varintAt(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let i = at; i < bytes.length && i < at + 10; i += 1) {
    const byte = bytes[i]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: i + 1 };
    scale *= 128;
  }
  return undefined;
}
