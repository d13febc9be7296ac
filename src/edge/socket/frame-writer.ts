import { Builder, type Offset } from "flatbuffers";
import { ClientIn } from "./generated/powerplay/wire/client-in.ts";
import type { Message } from "./generated/wire_generated.ts";

/** One for all frames: the node writes them one after the other, and a frame is copied by whoever sends or keeps it. */
const builder = new Builder(1_024);

/**
 * Encodes one frame towards a client. `write` writes the message's table and returns its place. The bytes are valid until
 * the next frame is written.
 */
export function writeFrame(message: Message, requestId: number, write: (builder: Builder) => Offset): Uint8Array {
  builder.clear();
  const offset = write(builder);
  ClientIn.startClientIn(builder);
  // The type first: it fits into the gap that a table leaves before the next aligned field, so small frames stay small.
  ClientIn.addMessageType(builder, message);
  ClientIn.addMessage(builder, offset);
  ClientIn.addRequestId(builder, requestId);
  builder.finish(ClientIn.endClientIn(builder));
  return builder.asUint8Array();
}

/** Written back to front, as a vector of structs is. */
export function structVector<T>(
  builder: Builder,
  start: (builder: Builder, count: number) => void,
  items: readonly T[],
  write: (item: T) => void,
): Offset {
  start(builder, items.length);
  for (let index = items.length - 1; index >= 0; index--) write(items[index]!);
  return builder.endVector();
}
