/**
 * Whether bytes from outside are a well-formed FlatBuffer of our schema. The TypeScript runtime has no verifier: its
 * accessors follow any offset, read zeros beyond the end and believe any vector length. So nothing is read from a frame
 * before every offset, length and vtable in it that an accessor could follow is known to stay inside. Fields and union
 * members of a newer schema are not looked at, as accessors don't either.
 */
export type FieldShape =
  /** A scalar, an enum or a struct, within the table. */
  | { readonly kind: "inline"; readonly bytes: number; readonly align: number }
  | { readonly kind: "string" }
  | { readonly kind: "strings" }
  /** Of scalars or structs. */
  | { readonly kind: "vector"; readonly bytes: number; readonly align: number }
  | { readonly kind: "table"; readonly table: string }
  | { readonly kind: "tables"; readonly table: string }
  /** The type is the field before it. */
  | { readonly kind: "union"; readonly members: Readonly<Record<number, string>> };

/** Fields by id: the field of id n has its vtable entry at 4 + 2n. */
export interface TableShape {
  readonly name: string;
  readonly fields: readonly FieldShape[];
}

/** A frame may name one object many times over; without a bound, a small frame could ask for hours of checking. */
const VISITS_MAX = 2_048;
const DEPTH_MAX = 8;

export class FrameVerifier {
  readonly #shapes: Readonly<Record<string, TableShape>>;
  readonly #root: TableShape;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #visits = 0;

  constructor(shapes: Readonly<Record<string, TableShape>>, root: string) {
    this.#shapes = shapes;
    this.#root = shapes[root]!;
  }

  isWellFormed(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#visits = 0;
    return this.#holds(0, 4, 4) && this.#table(this.#view.getUint32(0, true), this.#root, 0);
  }

  /** `count` bytes at an aligned position within the frame. */
  #holds(at: number, count: number, align: number): boolean {
    return at % align === 0 && at + count <= this.#bytes.length;
  }

  #table(at: number, { fields }: TableShape, depth: number): boolean {
    if (depth > DEPTH_MAX || ++this.#visits > VISITS_MAX || !this.#holds(at, 4, 4)) return false;
    const view = this.#view;
    const vtable = at - view.getInt32(at, true);
    if (vtable < 0 || !this.#holds(vtable, 4, 2)) return false;
    const vtableBytes = view.getUint16(vtable, true);
    const tableBytes = view.getUint16(vtable + 2, true);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0 || !this.#holds(vtable, vtableBytes, 2)) return false;
    if (tableBytes < 4 || !this.#holds(at, tableBytes, 4)) return false;
    let previous = 0;
    for (const [id, shape] of fields.entries()) {
      const entry = 4 + 2 * id;
      const offset = entry < vtableBytes ? view.getUint16(vtable + entry, true) : 0;
      if (
        offset !== 0 &&
        !this.#field(at + offset, at + tableBytes, shape, previous === 0 ? 0 : at + previous, depth)
      ) {
        return false;
      }
      previous = offset;
    }
    return true;
  }

  /** `typeAt` is where the field before it lies, 0 if it is absent. */
  #field(at: number, end: number, shape: FieldShape, typeAt: number, depth: number): boolean {
    if (shape.kind === "inline") return at + shape.bytes <= end && at % shape.align === 0;
    if (at + 4 > end || at % 4 !== 0) return false;
    const target = at + this.#view.getUint32(at, true);
    switch (shape.kind) {
      case "string":
        return this.#string(target);
      case "vector":
        return this.#vector(target, shape.bytes, shape.align);
      case "table":
        return this.#table(target, this.#shapes[shape.table]!, depth + 1);
      case "union": {
        const member = shape.members[typeAt === 0 ? 0 : this.#bytes[typeAt]!];
        return member === undefined || this.#table(target, this.#shapes[member]!, depth + 1);
      }
      case "strings":
      case "tables": {
        if (!this.#vector(target, 4, 4)) return false;
        const count = this.#view.getUint32(target, true);
        for (let index = 0; index < count; index++) {
          const element = target + 4 + 4 * index;
          const to = element + this.#view.getUint32(element, true);
          const good =
            shape.kind === "strings" ? this.#string(to) : this.#table(to, this.#shapes[shape.table]!, depth + 1);
          if (!good) return false;
        }
        return true;
      }
    }
  }

  #vector(at: number, elementBytes: number, align: number): boolean {
    if (!this.#holds(at, 4, 4)) return false;
    const count = this.#view.getUint32(at, true);
    return count * elementBytes <= this.#bytes.length && this.#holds(at + 4, count * elementBytes, align);
  }

  /** Characters and the zero after them. */
  #string(at: number): boolean {
    return ++this.#visits <= VISITS_MAX && this.#vector(at, 1, 1) && this.#endsInZero(at);
  }

  #endsInZero(at: number): boolean {
    return this.#bytes[at + 4 + this.#view.getUint32(at, true)] === 0;
  }
}
