/**
 * Finds what OpenTelemetry wrote into a W3C tracestate, in place: of `vendor=1,ot=th:8;rv:6e6d1a75832a2f`
 * the fields of `ot` that sampling reads. Nothing is copied, and no string is made.
 * W3C Trace Context 3.3; OpenTelemetry "TraceState Handling".
 */
export class TraceState {
  /** Offsets of the values; ends are 0 for absent ones. Of members or fields with one name the first is used. */
  thStart = 0;
  thEnd = 0;
  rvStart = 0;
  rvEnd = 0;
  pStart = 0;
  pEnd = 0;
  rStart = 0;
  rEnd = 0;

  read(bytes: Uint8Array, start: number, end: number): void {
    this.thEnd = 0;
    this.rvEnd = 0;
    this.pEnd = 0;
    this.rEnd = 0;
    for (let at = start; at < end; ) {
      while (at < end && isBlank(bytes[at]!)) at += 1;
      const memberEnd = indexOf(bytes, comma, at, end);
      if (
        memberEnd - at >= 3 &&
        bytes[at] === letterO &&
        bytes[at + 1] === letterT &&
        bytes[at + 2] === equals
      ) {
        this.#readFields(bytes, at + 3, memberEnd);
        return;
      }
      at = memberEnd + 1;
    }
  }

  #readFields(bytes: Uint8Array, start: number, memberEnd: number): void {
    let end = memberEnd;
    while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
    for (let at = start; at < end; ) {
      const fieldEnd = indexOf(bytes, semicolon, at, end);
      const keyEnd = indexOf(bytes, colon, at, fieldEnd);
      if (keyEnd < fieldEnd) this.#note(bytes, at, keyEnd, fieldEnd);
      at = fieldEnd + 1;
    }
  }

  #note(bytes: Uint8Array, keyStart: number, keyEnd: number, end: number): void {
    const length = keyEnd - keyStart;
    const first = bytes[keyStart];
    const second = length === 2 ? bytes[keyStart + 1] : 0;
    if (length === 1 && first === letterP && this.pEnd === 0) {
      this.pStart = keyEnd + 1;
      this.pEnd = end;
    } else if (length === 1 && first === letterR && this.rEnd === 0) {
      this.rStart = keyEnd + 1;
      this.rEnd = end;
    } else if (first === letterT && second === letterH && this.thEnd === 0) {
      this.thStart = keyEnd + 1;
      this.thEnd = end;
    } else if (first === letterR && second === letterV && this.rvEnd === 0) {
      this.rvStart = keyEnd + 1;
      this.rvEnd = end;
    }
  }
}

function indexOf(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at += 1;
  return at;
}

/** Optional white space: space and tab. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

const comma = 0x2c;
const colon = 0x3a;
const semicolon = 0x3b;
const equals = 0x3d;
const letterH = 0x68;
const letterO = 0x6f;
const letterP = 0x70;
const letterR = 0x72;
const letterT = 0x74;
const letterV = 0x76;
