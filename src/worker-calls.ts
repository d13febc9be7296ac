/** Calls of functions that run in a worker: each request is answered once, in order, or fails with a message. */

interface Call<Request> {
  readonly id: number;
  readonly request: Request;
}

type Reply<Answer> =
  | { readonly id: number; readonly ok: true; readonly answer: Answer }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** The worker's end; called once, by the worker's module. What `answer` throws is the caller's rejection. */
export function answerCalls<Request, Answer>(answer: (request: Request) => Answer): void {
  const self = globalThis as unknown as Worker;
  const reply = (message: Reply<Answer>): void => self.postMessage(message);
  self.addEventListener("message", ({ data: { id, request } }: MessageEvent<Call<Request>>) => {
    try {
      reply({ id, ok: true, answer: answer(request) });
    } catch (error) {
      reply({ id, ok: false, message: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** The caller's end, which owns the worker. `Answers` gives the answer to each kind of request. */
export class WorkerCalls<Request extends { readonly kind: string }, Answers extends Record<Request["kind"], unknown>> {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #failure: Error | null = null;

  /** `name` says in errors whose worker it is. */
  constructor(module: URL, name: string) {
    this.#name = name;
    this.#worker = new Worker(module.href);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Reply<unknown>>) => this.#receive(data));
    this.#worker.addEventListener("error", ({ message }) => this.#fail(`died: ${message}`));
    this.#worker.addEventListener("close", () => this.#fail("ended"));
  }

  /** `moved` buffers belong to the worker afterwards. */
  ask<Kind extends Request["kind"]>(
    request: Request & { readonly kind: Kind },
    moved: ArrayBuffer[] = [],
  ): Promise<Answers[Kind]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const asked = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#pending.set(id, asked);
    this.#worker.postMessage({ id, request } satisfies Call<Request>, moved);
    return asked.promise as Promise<Answers[Kind]>;
  }

  /** Ends the worker; calls under way, and later ones, are rejected. */
  stop(): void {
    this.#fail("was stopped");
    this.#worker.terminate();
  }

  #receive(reply: Reply<unknown>): void {
    const asked = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.answer);
    else asked?.reject(new Error(reply.message));
  }

  #fail(what: string): void {
    this.#failure ??= new Error(`${this.#name} ${what}`);
    for (const asked of this.#pending.values()) asked.reject(this.#failure);
    this.#pending.clear();
  }
}
