import { tmpdir } from "node:os";
import { join } from "node:path";

/** Messages between the bench and the processes that it starts: one request at a time, one answer each. */
export class Child {
  readonly #process: Bun.Subprocess;
  #answer: PromiseWithResolvers<unknown> | null = null;

  constructor(file: string, args: readonly string[] = []) {
    this.#process = Bun.spawn([process.execPath, new URL(file, import.meta.url).pathname, ...args], {
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "advanced",
      ipc: (message) => {
        const answer = this.#answer;
        this.#answer = null;
        answer?.resolve(message);
      },
      onExit: (_process, code) => this.#answer?.reject(new Error(`${file} ended with ${code}`)),
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async ask<T>(request: unknown): Promise<T> {
    this.#answer = Promise.withResolvers();
    this.#process.send(request);
    return (await this.#answer.promise) as T;
  }

  stop(): void {
    this.#process.kill();
  }
}

/** A node with a match and players, opened in a process that has done nothing else. */
export async function openNode(playerCount: number) {
  const directory = join(tmpdir(), `powerplay-bench-${crypto.randomUUID()}`);
  const preparing = new Child("node.ts", [directory]);
  const prepared = await preparing.ask<{ matchId: number; contestId: number; tokens: readonly string[] }>({
    kind: "prepare",
    playerCount,
  });
  preparing.stop();
  const node = new Child("node.ts", [directory]);
  const opened = await node.ask<{ port: number; rssBytes: number }>({ kind: "open", matchId: prepared.matchId });
  return { node, ...prepared, ...opened };
}

/** Answers the parent's requests, one handler for each kind. */
export function serveParent(handlers: Readonly<Record<string, (request: never) => unknown>>): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", async (request: { kind: string }) => {
    // null would not arrive.
    process.send!((await handlers[request.kind]!(request as never)) ?? "done");
  });
}

/** Comparable between the processes of one machine. */
export const wallMs = (): number => performance.timeOrigin + performance.now();
