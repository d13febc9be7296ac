import { dlopen } from "bun:ffi";
import { existsSync } from "node:fs";

/** Must equal what pp_kafka_glue_version answers (native/kafka/glue.c): a library of other sources is refused, never called. */
const KAFKA_GLUE_VERSION = 2;

/** What begins with `pp_` is ours and described in native/kafka/glue.c; the rest in librdkafka's rdkafka.h. */
const SYMBOLS = {
  pp_kafka_glue_version: { args: [], returns: "i32" },
  pp_wake_open: { args: ["ptr"], returns: "i32" },
  pp_wake_close: { args: ["i32"], returns: "void" },
  pp_wake_on: { args: ["ptr", "i32"], returns: "void" },
  pp_client_open: { args: ["i32", "ptr", "ptr", "u32"], returns: "ptr" },
  pp_client_close: { args: ["ptr", "ptr", "ptr", "u32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  pp_produce: { args: ["ptr", "i32", "f64", "ptr", "u32", "u32"], returns: "i32" },
  pp_take_deliveries: { args: ["ptr", "u32", "ptr", "ptr", "ptr"], returns: "u32" },
  pp_cursor_open: { args: ["ptr", "ptr", "i32", "f64", "i32"], returns: "ptr" },
  pp_cursor_seek: { args: ["ptr", "f64"], returns: "i32" },
  pp_cursor_restart: { args: ["ptr", "f64"], returns: "i32" },
  pp_cursor_read: { args: ["ptr", "f64", "ptr", "u32", "u32", "ptr", "u32", "ptr"], returns: "void" },
  pp_event_id: { args: ["ptr"], returns: "u32" },
  pp_ask_create_topic: {
    args: ["ptr", "ptr", "u32", "ptr", "i32", "i32", "ptr", "i32", "ptr", "u32"],
    returns: "i32",
  },
  pp_take_created: { args: ["ptr", "ptr", "u32"], returns: "i32" },
  pp_ask_describe_topic: { args: ["ptr", "ptr", "u32", "ptr", "i32"], returns: "void" },
  pp_take_described: { args: ["ptr"], returns: "i32" },
  pp_ask_offsets: { args: ["ptr", "ptr", "u32", "ptr", "ptr", "ptr", "u32", "f64", "i32"], returns: "void" },
  pp_take_offsets: { args: ["ptr", "ptr", "u32", "u32", "ptr", "ptr", "ptr", "ptr"], returns: "u32" },
  pp_subscribe: { args: ["ptr", "ptr"], returns: "i32" },
  pp_take_rebalance: { args: ["ptr", "ptr", "ptr", "u32", "ptr"], returns: "i32" },
  pp_has_left: { args: ["ptr"], returns: "i32" },
  rd_kafka_queue_new: { args: ["ptr"], returns: "ptr" },
  rd_kafka_queue_get_main: { args: ["ptr"], returns: "ptr" },
  rd_kafka_queue_get_consumer: { args: ["ptr"], returns: "ptr" },
  rd_kafka_queue_poll: { args: ["ptr", "i32"], returns: "ptr" },
  rd_kafka_poll_set_consumer: { args: ["ptr"], returns: "i32" },
  rd_kafka_event_type: { args: ["ptr"], returns: "i32" },
  rd_kafka_event_error: { args: ["ptr"], returns: "i32" },
  rd_kafka_event_error_string: { args: ["ptr"], returns: "cstring" },
  rd_kafka_event_destroy: { args: ["ptr"], returns: "void" },
  rd_kafka_fatal_error: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  rd_kafka_err2str: { args: ["i32"], returns: "cstring" },
  rd_kafka_topic_new: { args: ["ptr", "ptr", "ptr"], returns: "ptr" },
  rd_kafka_unsubscribe: { args: ["ptr"], returns: "i32" },
} as const;

export type KafkaLibrary = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
export type Handle = NonNullable<ReturnType<KafkaLibrary["pp_client_open"]>>;

/** rd_kafka_event_type_t. */
export const EVENT = { deliveries: 0x1, error: 0x8, rebalance: 0x10 } as const;

/** Those of rd_kafka_resp_err_t that mean something to us. */
export const ERROR = {
  allBrokersDown: -187,
  autoOffsetReset: -140,
  messageTooLarge: 10,
  topicExists: 36,
} as const;

export type KafkaOpening =
  { readonly ok: true; readonly library: KafkaLibrary } | { readonly ok: false; readonly reason: string };

/** `path`: null where none was built. */
export function openKafkaLibrary(path: string | null): KafkaOpening {
  if (path === null || !existsSync(path)) {
    return { ok: false, reason: `${path ?? "its library"} is not there; install a C compiler and run make build` };
  }
  let library: KafkaLibrary;
  try {
    library = dlopen(path, SYMBOLS).symbols;
  } catch (error) {
    return { ok: false, reason: `${path} does not load (${(error as Error).message}); run make build` };
  }
  const version = library.pp_kafka_glue_version();
  if (version === KAFKA_GLUE_VERSION) return { ok: true, library };
  return { ok: false, reason: `${path} has version ${version}, not ${KAFKA_GLUE_VERSION}; run make build` };
}

/** Bytes that C reads as a string. */
export const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** Names and values in turn, an empty name at the end. */
export const cSettings = (settings: Readonly<Record<string, string>>): Uint8Array =>
  cString(
    Object.entries(settings)
      .map(([name, value]) => `${name}\0${value}\0`)
      .join(""),
  );

/** What C wrote into a buffer of text. */
export function textOfC(buffer: Uint8Array): string {
  const end = buffer.indexOf(0);
  return new TextDecoder().decode(buffer.subarray(0, end < 0 ? buffer.length : end));
}
