/**
 * Where a pass writes the standing of one contest; the C side of this layout is native/pass.c. Little endian.
 *
 *     0 u32 entry count     4 u32 top count       8 i16 min score     10 i16 max score
 *    12 u32 form           16 u32 window length  20 zero to 32
 *    32 f64 top entry ids[top capacity], i16 top scores[top capacity], then, at the next multiple of 8, the window
 */
export const TOP_MAX = 100;
export const SLOT_HEADER_BYTES = 32;
export const SCORE_MIN = -32768;
export const SCORE_MAX = 32767;
const DOMAIN = 65536;

/** sorted: i16 scores, descending, one an entry. dense: u32 "how many score more" for each score from min to max. */
export const FORM_SORTED = 0;
export const FORM_DENSE = 1;

/** Dense is never larger than the sorted form would be, so a slot holds whichever a pass chooses. */
export const isDense = (entryCount: number, windowLength: number): boolean => entryCount * 2 > windowLength * 4;

export const topCapacity = (entryCount: number): number => Math.min(entryCount, TOP_MAX);

const roundUp = (bytes: number, multiple: number): number => Math.ceil(bytes / multiple) * multiple;

export const windowOffset = (entryCount: number): number =>
  roundUp(SLOT_HEADER_BYTES + topCapacity(entryCount) * 10, 8);

/** A slot takes whole cache lines, so threads that fill neighbouring slots do not meet. */
export const slotBytes = (entryCount: number): number =>
  roundUp(windowOffset(entryCount) + Math.min(entryCount * 2, DOMAIN * 4), 64);

/** How much of a slot its standing takes. */
export function usedSlotBytes(slot: Uint8Array): number {
  const header = new DataView(slot.buffer, slot.byteOffset, SLOT_HEADER_BYTES);
  const elementBytes = header.getUint32(12, true) === FORM_DENSE ? 4 : 2;
  return windowOffset(header.getUint32(0, true)) + header.getUint32(16, true) * elementBytes;
}
