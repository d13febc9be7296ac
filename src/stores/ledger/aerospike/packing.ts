/** Requests and answers of the bridge (native/aerospike/session.h): little-endian, texts with their length and a zero. */

const FIRST_BYTES = 1 << 16;
const TWO_POW_32 = 2 ** 32;
/** UTF-8 needs at most three bytes for one UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class Packer {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  /** Valid until the next `begin`. */
  get packed(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  /** A safe integer. Two halves: a BigInt for each would be the price of setBigInt64. */
  i64(value: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#at, value >>> 0, true);
    this.#view.setInt32(this.#at + 4, Math.floor(value / TWO_POW_32), true);
    this.#at += 8;
  }

  text(value: string): void {
    this.#reserve(4 + value.length * BYTES_PER_UNIT_MAX + 1);
    const written = this.#bytes.write(value, this.#at + 4);
    this.#view.setUint32(this.#at, written, true);
    this.#at += 4 + written;
    this.#bytes[this.#at++] = 0;
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

export class Unpacker {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.#at++]!;
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  i32(): number {
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4, true);
  }

  i64(): number {
    const low = this.u32();
    return this.i32() * TWO_POW_32 + low;
  }

  text(length = this.u32()): string {
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}
