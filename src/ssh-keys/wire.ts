/** The encoding of SSH's messages (RFC 4251 section 5), of which keys use three forms: numbers, strings, big integers. */

/** The bytes are not in the form that was expected. */
export class WireFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireFault';
  }
}

export class WireReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  string(): Buffer {
    if (this.#offset + 4 > this.#bytes.length) throw new WireFault('it ends too early');
    const start = this.#offset + 4;
    const end = start + this.#bytes.readUInt32BE(this.#offset);
    if (end > this.#bytes.length) throw new WireFault('it ends too early');
    this.#offset = end;
    return this.#bytes.subarray(start, end);
  }

  text(): string {
    return this.string().toString('latin1');
  }

  /** A positive integer in its only form: big-endian, no needless zero in front, one where the sign bit would be set. */
  positive(): Buffer {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined || (first & 0x80) !== 0) throw new WireFault('a number in it is not positive');
    if (first !== 0) return bytes;
    if (second === undefined || (second & 0x80) === 0)
      throw new WireFault('a number in it is written with zeros in front');
    return bytes.subarray(1);
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw new WireFault('bytes follow that do not belong to it');
  }
}

export function wireNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([wireNumber(bytes.length), bytes]);
}

/** Of the magnitude of a positive integer, big-endian. */
export function wirePositive(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (magnitude[start] === 0) start += 1;
  const bytes = magnitude.subarray(start);
  return wireString(((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]));
}
