import { type Pointer, ptr } from "bun:ffi";
import type { Socket } from "bun";
import { StoreUnavailable } from "../../unavailable.ts";
import type { AerospikeAddress } from "./address.ts";
import { type Bridge, type LedgerLibraries, openBridge } from "./libraries.ts";
import { Packer, Unpacker } from "./packing.ts";
import {
  packOperation,
  type RecordBins,
  type RecordOperation,
  type RecordOutcome,
  unpackBins,
  unpackOutcome,
} from "./records.ts";

export interface SessionOptions {
  readonly libraries: LedgerLibraries;
  /** Calls to the cluster under way at once; each has a thread that waits for it. */
  readonly threadCount: number;
  /** Of one call. */
  readonly callTimeoutMs: number;
}

/** Some of the 4,096 partitions of a set. */
export interface ScanRange {
  readonly set: string;
  readonly firstPartition: number;
  readonly partitionCount: number;
  /** An expression; see records.ts. */
  readonly where: Uint8Array;
}

export const PARTITION_COUNT = 4_096;

const KIND = { connect: 1, batch: 2, scan: 3 } as const;

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: Unpacker;
}

const CLOSED: Answer = { status: -1, reason: "closed", body: new Unpacker(Buffer.alloc(0)) };

/** A cluster, through the bridge. */
export class Session {
  readonly #bridge: Bridge;
  readonly #handle: Pointer;
  readonly #namespace: string;
  readonly #callTimeoutMs: number;
  readonly #packer = new Packer();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #told: Socket<unknown> | null = null;
  #lastNumber = 0;
  #isClosed = false;

  private constructor(bridge: Bridge, handle: Pointer, namespace: string, callTimeoutMs: number) {
    this.#bridge = bridge;
    this.#handle = handle;
    this.#namespace = namespace;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** Throws an error that names the address and the remedy. */
  static async open(address: AerospikeAddress, options: SessionOptions): Promise<Session> {
    const bridge = openBridge(options.libraries);
    const told = new Int32Array(1);
    const handle = bridge.pp_aero_open(options.threadCount, ptr(told));
    if (handle === null) throw new Error("Ledger on Aerospike: the system has no more threads or files");
    const session = new Session(bridge, Number(handle) as Pointer, address.namespace, options.callTimeoutMs);
    session.#told = await socketOf(told[0]!, () => session.#drain());
    const { status, reason } = await session.#connect(address);
    if (status !== 0) {
      session.close();
      throw new Error(
        `Ledger on Aerospike at ${address.hosts}: ${reason || `status ${status}`}; ` +
          "check LEDGER_URL and that a server listens there (make services starts one where ASD= names its binary)",
      );
    }
    const [probe] = await session.batch([{ kind: "read", set: "probe", key: "probe" }]);
    if (probe!.kind !== "done") {
      session.close();
      throw new Error(
        `Ledger on Aerospike at ${address.hosts}: namespace ${address.namespace} does not answer; ` +
          "check LEDGER_URL and the namespaces in the server's configuration",
      );
    }
    return session;
  }

  /** Answers by position. Never rejects: what could not be reached is "unknown". */
  async batch(operations: readonly RecordOperation[]): Promise<RecordOutcome[]> {
    if (operations.length === 0) return [];
    const answer = await this.#call(KIND.batch, (into) => {
      into.u32(this.#callTimeoutMs);
      into.text(this.#namespace);
      into.u32(operations.length);
      for (const operation of operations) packOperation(into, operation);
    });
    // A call that failed as a whole may have no body; where it has one, each place says for itself.
    if (answer.body.isAtEnd) return operations.map(() => ({ kind: "unknown", status: answer.status }));
    answer.body.u32();
    return operations.map((operation) => unpackOutcome(answer.body, operation));
  }

  /** All records of the range, each as it is at some instant of the call. Rejects with `StoreUnavailable`. */
  async scan({ set, firstPartition, partitionCount, where }: ScanRange): Promise<RecordBins[]> {
    const { status, reason, body } = await this.#call(KIND.scan, (into) => {
      // A partition has no bound, so neither has the time to read it.
      into.u32(0);
      into.text(this.#namespace);
      into.text(set);
      into.u32(firstPartition);
      into.u32(partitionCount);
      into.bytes(where);
    });
    if (status !== 0) throw new StoreUnavailable("Ledger", `a scan failed: ${reason || `status ${status}`}`);
    return Array.from({ length: body.u32() }, () => unpackBins(body));
  }

  /** Waits for the calls under way, holding up the thread; whoever made them hears that nothing is known. */
  close(): void {
    this.#isClosed = true;
    this.#told?.end();
    this.#bridge.pp_aero_close(this.#handle);
    for (const resolve of this.#waiting.values()) resolve(CLOSED);
    this.#waiting.clear();
  }

  #connect({ hosts, user, password }: AerospikeAddress): Promise<Answer> {
    return this.#call(KIND.connect, (into) => {
      into.text(hosts);
      into.text(user);
      into.text(password);
    });
  }

  #call(kind: number, pack: (into: Packer) => void): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve(CLOSED);
    const number = (this.#lastNumber = (this.#lastNumber + 1) >>> 0);
    this.#packer.begin();
    this.#packer.u32(number);
    this.#packer.u8(kind);
    pack(this.#packer);
    const request = this.#packer.packed;
    if (this.#bridge.pp_aero_submit(this.#handle, ptr(request), request.length) !== 0) {
      return Promise.reject(new StoreUnavailable("Ledger", "out of memory"));
    }
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(number, resolve);
    return promise;
  }

  #drain(): void {
    for (;;) {
      const bytes = this.#bridge.pp_aero_next(this.#handle);
      if (bytes === 0) return;
      const answer = Buffer.allocUnsafeSlow(bytes);
      this.#bridge.pp_aero_take(this.#handle, ptr(answer));
      const body = new Unpacker(answer);
      const number = body.u32();
      const resolve = this.#waiting.get(number)!;
      this.#waiting.delete(number);
      // The lines after the first name each node and partition.
      resolve({ status: body.i32(), reason: body.text().split("\n")[0]!, body });
    }
  }
}

/** Bun takes an open socket's number, which its types do not tell. */
function socketOf(fd: number, data: () => void): Promise<Socket<unknown>> {
  const options = { fd, socket: { data } } as unknown as Parameters<typeof Bun.connect>[0];
  return Bun.connect(options);
}
