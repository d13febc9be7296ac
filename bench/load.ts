/** A load generator in a process of its own: sends prepared requests over keep-alive connections, counts and times answers. */
export interface LoadRequest {
  readonly path: string;
  readonly body: string;
  readonly token: string;
}

export interface LoadPlan {
  readonly url: string;
  readonly width: number;
  readonly requests: readonly LoadRequest[];
}

export interface LoadResult {
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(JSON.stringify(plan));
  await child.stdin.end();
  return (await new Response(child.stdout).json()) as LoadResult;
}

if (import.meta.main) {
  const plan = (await Bun.stdin.json()) as LoadPlan;
  const timesMs: number[] = [];
  let failed = 0;
  let next = 0;
  const startedMs = performance.now();
  const lane = async () => {
    while (next < plan.requests.length) {
      const { path, body, token } = plan.requests[next++]!;
      const sentMs = performance.now();
      const response = await fetch(plan.url + path, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      });
      await response.arrayBuffer();
      timesMs.push(performance.now() - sentMs);
      if (!response.ok) failed++;
    }
  };
  await Promise.all(Array.from({ length: plan.width }, lane));
  const seconds = (performance.now() - startedMs) / 1_000;
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(share * timesMs.length))] ?? 0;
  const perSecond = plan.requests.length / seconds;
  const result: LoadResult = { failed, perSecond, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
  console.log(JSON.stringify(result));
}
