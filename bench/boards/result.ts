import type { DeadlineResult } from "./deadline.ts";
import type { DeltaResult } from "./delta.ts";
import type { FinalResult } from "./final.ts";
import type { KernelsResult } from "./kernels.ts";
import type { ManyResult } from "./many.ts";
import type { MegaResult } from "./mega.ts";
import type { RedisResult } from "./redis.ts";

/** One run; a scenario that was not asked for, or that this machine can't run, is absent. */
export interface BoardsResult {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGb: number; readonly bun: string };
  readonly match: { readonly name: string; readonly balls: number };
  readonly mega?: MegaResult;
  readonly kernels?: KernelsResult;
  readonly delta?: DeltaResult;
  readonly redis?: RedisResult;
  readonly many?: ManyResult;
  readonly final?: FinalResult;
  readonly deadline?: DeadlineResult;
}
