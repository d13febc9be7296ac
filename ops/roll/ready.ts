const ANSWER_MS_MAX = 2_000;

/** null if the address answers 200 to /readyz, else why not. */
export async function unreadyAt(address: string): Promise<string | null> {
  const url = `http://${address}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return answer.status === 200 ? null : `${url} answers ${answer.status}`;
  } catch (error) {
    return `${url} does not answer (${error instanceof Error ? error.message : String(error)})`;
  }
}
