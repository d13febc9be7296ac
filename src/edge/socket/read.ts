/** A string that is absent is an empty one, here as in every language that FlatBuffers speaks. */
export const textOf = (value: string | Uint8Array | null): string => (value as string | null) ?? "";

export const textsOf = (count: number, at: (index: number) => string | null): string[] =>
  Array.from({ length: count }, (_, index) => textOf(at(index)));
