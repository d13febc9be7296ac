import type { BoardIdentity } from "../board/shared-memory.ts";
import type { IndexedMatch } from "./port.ts";

/** What the node asks of an index worker. */
export type IndexRequest =
  | { readonly kind: "open"; readonly match: IndexedMatch; readonly libraryPath: string | undefined }
  | { readonly kind: "teamSaves"; readonly records: Uint8Array }
  | { readonly kind: "contestJoins"; readonly records: Uint8Array }
  /** Builds the index and writes it as a sealed board. */
  | {
      readonly kind: "seal";
      readonly directory: string;
      readonly identity: BoardIdentity;
      readonly logPosition: string;
    }
  /** Hashes the teams of a sealed board and writes the commitment beside them. */
  | { readonly kind: "commit"; readonly directory: string; readonly identity: BoardIdentity };

export interface SealReport {
  readonly teamCount: number;
  readonly contestCount: number;
  readonly entryCount: number;
  readonly entriesWithoutTeam: number;
}

export interface IndexAnswers {
  open: null;
  teamSaves: null;
  contestJoins: null;
  seal: SealReport;
  commit: null;
}
