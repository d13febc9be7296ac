/**
 * A store could not be reached or could not make a write durable (full disk, lost server). The caller does not know whether
 * the write happened: it must be repeatable. The edge answers 503 with Retry-After.
 */
export class StoreUnavailable extends Error {
  override name = "StoreUnavailable";

  constructor(
    readonly port: "EventLog" | "Ledger" | "Catalog" | "TeamStore" | "HotStore" | "Boards",
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${port} is unavailable: ${reason}`, options);
  }
}
