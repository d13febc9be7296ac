import type { UserId } from "../domain/ids.ts";
import type { Match } from "../domain/match.ts";
import type { Catalog } from "../stores/catalog/port.ts";
import type { EventLog, LogPosition } from "../stores/event-log/port.ts";
import type { SpoolStore } from "../stores/event-log/spool-store.ts";
import { StoreUnavailable } from "../stores/unavailable.ts";
import type { SaveFence } from "./save-fence.ts";

export interface SaveSpoolDeps {
  readonly log: Pick<EventLog, "append">;
  readonly catalog: Pick<Catalog, "openSpool" | "closeSpool" | "openSpools">;
  readonly fence: Pick<SaveFence, "takesSpooled">;
  /** The same after a restart, for the catalog knows the spool by it. */
  readonly nodeId: string;
  readonly store: {
    /** Whether this node's disk has a spool already. */
    readonly exists: boolean;
    /** Called once, at the start where there is one, else when it is first needed: a log that never fails costs no file. */
    readonly open: () => Promise<SpoolStore>;
  };
  /** A log that does not answer within this counts as away. At least twice `LATE_MS` (records.ts). */
  readonly spoolAfterMs: number;
  /** The record as the spool keeps and forwards it. */
  readonly marked: (record: Uint8Array) => Uint8Array;
  /** Past it saves are refused with `StoreUnavailable`. */
  readonly recordsMax: number;
  /** Under way to the log at one time, of those that were spooled. */
  readonly batchRecords: number;
  readonly retryMs: number;
  readonly onTrouble: (error: unknown) => void;
  /** Hears how many records wait. */
  readonly onCount: (count: number) => void;
  /** Calls back after so many ms; answers how to call that off. */
  readonly after: (ms: number, then: () => void) => () => void;
}

export type AppendedSave =
  | ({ readonly outcome: "logged" } & LogPosition)
  /** Durable on this node, and counts. */
  | { readonly outcome: "spooled" }
  /** The match was locked before; the record is gone. */
  | { readonly outcome: "too_late" };

/**
 * Team saves while the log is away: they are kept durably on this node, acknowledged, and forwarded when the log is back.
 *
 * Law:
 * - Before the first spooled save is acknowledged the catalog knows of this node's spool (`openSpool`), so no match ends its
 *   saves without it (save-fence.ts). After the local write and before the acknowledgement the fence is asked whether the
 *   match still takes it; one that it does not take is removed before that is said.
 * - Saves of one user reach the log in the order of their calls on this node: what comes while one of them waits goes
 *   behind it, and one begins only when the one before it has its answer.
 * - Forwarding is at least once and in order. A record is forgotten when its append was acknowledged, and the catalog hears
 *   `closeSpool` when none is left. A crash at any point repeats some appends, and loses none.
 * - A save may be in the log twice: because its first append had no answer in time and was spooled, or because a crash came
 *   between its forwarding and its forgetting. That is harmless: a save is absolute (the whole roster, with its server
 *   time), the one idempotent producer of this node keeps what it was given first before what it was given later, and until
 *   all of them are forwarded and forgotten nothing newer of that user passes them.
 * - The disk has the spool before the catalog hears of it, and each opening in the catalog has a number of its own: a call that
 *   takes effect when it was given up long ago neither closes a spool that has records nor opens one that nobody closes.
 *
 * Between two nodes the log's order says nothing of what was spooled: one who saves on a node during an outage, goes to another
 * and saves again there may find the records in it the other way round. So they are marked, and whoever reads them goes by
 * their server time. The first append of such a save bears no mark and may reach the log late too; it is told by how much
 * older it is than what came before it, for which `spoolAfterMs` must be long enough (records.ts).
 */
export class SaveSpool {
  readonly #deps: SaveSpoolDeps;
  #store: Promise<SpoolStore> | null = null;
  /** Users with records in the spool, or on their way into it. */
  readonly #users = new Map<number, number>();
  #count = 0;
  /** The last save of a user that has no answer yet. */
  readonly #underWay = new Map<number, Promise<unknown>>();
  /** Numbers that appends to the store have told; and of these, those for which the fence has not spoken yet, ascending. */
  #toldThrough = 0;
  readonly #undecided = new Set<number>();
  /** The log did not answer the last time. */
  #isAway = false;
  #registered: Promise<void> | null = null;
  /** The newest that the catalog knows; null until it has told which one this node's last process had. */
  #opening: number | null = null;
  /** One call to the catalog after the other, so that an opening never overtakes a closing. */
  #catalogTurn: Promise<unknown> = Promise.resolve();
  #forwarding: Promise<void> | null = null;
  #stop: (() => void) | null = null;
  readonly #stopping: Promise<void>;

  constructor(deps: SaveSpoolDeps) {
    this.#deps = deps;
    this.#stopping = new Promise((resolve) => (this.#stop = resolve));
  }

  /**
   * Before the first save: goes on with what an earlier process of this node left. Throws where the catalog knows of a spool
   * that this disk does not have, for the saves in it were acknowledged.
   */
  async start(): Promise<void> {
    const { catalog, nodeId, store } = this.#deps;
    if (store.exists) return this.#resume();
    if (!(await catalog.openSpools()).includes(nodeId)) return;
    throw new Error(
      `node ${nodeId} has acknowledged team saves in a spool that is not on this disk; restore its DATA_DIR, or give ` +
        `these saves up: powerplay spool abandon ${nodeId}`,
    );
  }

  get count(): number {
    return this.#count;
  }

  /** Rejects with `StoreUnavailable` when the save is durable nowhere, or nobody can say whether it counts. */
  async append(user: UserId, match: Pick<Match, "id" | "startMs">, record: Uint8Array): Promise<AppendedSave> {
    const before = this.#underWay.get(user);
    const appending =
      before === undefined ? this.#append(user, match, record) : this.#after(before, user, match, record);
    this.#underWay.set(user, appending);
    try {
      return await appending;
    } finally {
      if (this.#underWay.get(user) === appending) this.#underWay.delete(user);
    }
  }

  /** What this node holds of the user and the log may not have, oldest first. */
  async ofUser(user: UserId): Promise<readonly Uint8Array[]> {
    if (!this.#users.has(user)) return [];
    return (await (await this.#opened()).ofUser(user)).map(({ value }) => value);
  }

  /** What is left waits for the next start. */
  async stop(): Promise<void> {
    this.#stop?.();
    this.#stop = null;
    await this.#forwarding;
    await (await this.#store)?.close();
  }

  async #after(before: Promise<unknown>, ...save: Parameters<SaveSpool["append"]>): Promise<AppendedSave> {
    await before.catch(() => undefined);
    return this.#append(...save);
  }

  async #append(...[user, match, record]: Parameters<SaveSpool["append"]>): Promise<AppendedSave> {
    const waitsBehind = this.#users.has(user) || (this.#isAway && this.#count > 0);
    if (waitsBehind) return this.#spool(user, match, record);
    const position = await this.#appendToLog(user, record);
    if (position !== null) return { outcome: "logged", ...position };
    const saved = await this.#spool(user, match, record);
    if (saved.outcome === "spooled") return saved;
    throw new StoreUnavailable("EventLog", "it may have the save or not, and the spool no longer takes it");
  }

  /** null: the log is away, and whether it has the record is not known. */
  async #appendToLog(user: UserId, record: Uint8Array): Promise<LogPosition | null> {
    const { after, log, spoolAfterMs } = this.#deps;
    let callOff = (): void => undefined;
    const silence = new Promise<null>((resolve) => (callOff = after(spoolAfterMs, () => resolve(null))));
    try {
      const appending = log.append("team-saves", user, record);
      const position = await Promise.race([appending, silence]);
      this.#isAway = position === null;
      // Its answer comes too late to matter.
      appending.catch(() => undefined);
      return position;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#isAway = true;
      return null;
    } finally {
      callOff();
    }
  }

  async #spool(...[user, match, record]: Parameters<SaveSpool["append"]>): Promise<AppendedSave> {
    const { fence, marked, recordsMax } = this.#deps;
    if (this.#stop === null) throw new StoreUnavailable("EventLog", "it is away and the node stops");
    if (this.#count >= recordsMax) throw new StoreUnavailable("EventLog", "it is away and the spool is full");
    this.#counted(user, 1);
    let seq: number;
    let store: SpoolStore;
    try {
      // Before the catalog hears of it: a node that the catalog knows to spool has it on its disk.
      store = await this.#opened();
      await this.#register();
      seq = await store.append(user, marked(record));
    } catch (error) {
      this.#counted(user, -1);
      throw error;
    } finally {
      this.#forward();
    }
    this.#toldThrough = Math.max(this.#toldThrough, seq);
    this.#undecided.add(seq);
    try {
      if (await fence.takesSpooled(match)) return { outcome: "spooled" };
      await store.forget(seq, seq);
      this.#counted(user, -1);
      return { outcome: "too_late" };
    } finally {
      this.#undecided.delete(seq);
    }
  }

  /** Resolves when the catalog knows of the spool. */
  #register(): Promise<void> {
    if (this.#registered !== null) return this.#registered;
    const registering = this.#inTurn(() => this.#openInCatalog());
    this.#registered = registering;
    registering.catch(() => {
      if (this.#registered === registering) this.#registered = null;
    });
    return registering;
  }

  /**
   * Under the number after the newest that was answered, again and again until this one is: whatever else is under way, also
   * from an earlier process, has this number or a smaller one, so nothing of it takes effect after the closing.
   */
  async #openInCatalog(): Promise<void> {
    const { catalog, nodeId } = this.#deps;
    this.#opening ??= (await catalog.openSpool(nodeId, 0)).opening;
    for (;;) {
      const asked: number = this.#opening + 1;
      const { opening, isOpen } = await catalog.openSpool(nodeId, asked);
      this.#opening = opening;
      if (opening === asked && isOpen) return;
    }
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const called = this.#catalogTurn.then(call);
    this.#catalogTurn = called.catch(() => undefined);
    return called;
  }

  async #resume(): Promise<void> {
    const store = await this.#opened();
    for (const { user, count, newestSeq } of await store.users()) {
      this.#counted(user, count);
      this.#toldThrough = Math.max(this.#toldThrough, newestSeq);
    }
    // Also when nothing is left: the crash may have come before the catalog heard so.
    this.#forward();
  }

  #opened(): Promise<SpoolStore> {
    if (this.#store !== null) return this.#store;
    const opening = this.#deps.store.open();
    this.#store = opening;
    opening.catch(() => (this.#store = null));
    return opening;
  }

  #counted(user: number, change: number): void {
    this.#count += change;
    const left = (this.#users.get(user) ?? 0) + change;
    if (left > 0) this.#users.set(user, left);
    else this.#users.delete(user);
    this.#deps.onCount(this.#count);
  }

  #forward(): void {
    this.#forwarding ??= this.#forwardAll();
  }

  async #forwardAll(): Promise<void> {
    const { onTrouble } = this.#deps;
    while (this.#stop !== null) {
      try {
        if (this.#count > 0) {
          if (await this.#forwardSome()) continue;
        } else {
          await this.#closeInCatalog();
          if (this.#count === 0) break;
          continue;
        }
      } catch (error) {
        onTrouble(error);
      }
      await this.#pause();
    }
    // In the turn in which nothing was left; whoever comes later begins again.
    this.#forwarding = null;
  }

  /** false: nothing may be forwarded yet. */
  async #forwardSome(): Promise<boolean> {
    const { batchRecords, log } = this.#deps;
    const store = await this.#opened();
    // Before the read, for one that is decided meanwhile may be forgotten already and in what was read all the same.
    const toldThrough = this.#toldThrough;
    const [firstUndecided = Number.POSITIVE_INFINITY] = this.#undecided;
    // A log that is away is asked with one.
    const head = await store.head(this.#isAway ? 1 : batchRecords);
    const records = head.filter(({ seq }) => seq <= toldThrough && seq < firstUndecided);
    if (records.length === 0) return false;
    const appends = records.map(({ user, value }) => log.append("team-saves", user, value));
    // All of them, for those that follow a failed one are sent again behind it.
    const settled = await Promise.allSettled(appends);
    const failed = settled.find((one) => one.status === "rejected");
    this.#isAway = failed !== undefined;
    if (failed) throw failed.reason;
    await store.forget(records[0]!.seq, records.at(-1)!.seq);
    for (const { user } of records) this.#counted(user, -1);
    return true;
  }

  /** A save that comes meanwhile opens it again, after this. */
  async #closeInCatalog(): Promise<void> {
    const { catalog, nodeId } = this.#deps;
    // Closed is what was opened here: who spooled before, and every opening without an answer, comes before that.
    await this.#register();
    if (this.#count > 0) return;
    this.#registered = null;
    const opening = this.#opening!;
    await this.#inTurn(() => catalog.closeSpool(nodeId, opening));
  }

  async #pause(): Promise<void> {
    const { after, retryMs } = this.#deps;
    let callOff = (): void => undefined;
    await Promise.race([new Promise<void>((resolve) => (callOff = after(retryMs, resolve))), this.#stopping]);
    callOff();
  }
}
