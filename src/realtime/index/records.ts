import { assert } from "../../domain/assert.ts";

/** A log that names no entry where one belongs is damaged; a board built from it would lack somebody. */
export const BAD_RECORD = "a record of the log has an entry id that is no positive safe integer";

export function assertWholeRecords(records: Uint8Array, recordBytes: number): void {
  assert(records.length % recordBytes === 0, `every record of the batch has ${recordBytes} bytes`);
}
