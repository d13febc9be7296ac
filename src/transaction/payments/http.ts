/** One request and its answer, as far as a JSON API needs; a simulation puts its own network in its place. */
export type HttpExchange = (request: HttpRequest) => Promise<HttpResponse>;

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** From the first slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** "" for none. */
  readonly body: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** Rejects when there is no answer in time; whether the server acted is then unknown. */
export const httpExchange =
  (baseUrl: string, timeoutMs: number): HttpExchange =>
  async ({ method, path, headers, body }) => {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers,
      ...(body === "" ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await response.text() };
  };
