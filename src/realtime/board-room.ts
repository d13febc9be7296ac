import type { Catalog } from "../stores/catalog/port.ts";
import { boardBytes, type ContestSize } from "./board/board-writer.ts";
import { freeBytes } from "./board/shared-memory.ts";

/** Matches whose boards are still to be built; a season's schedule is a few hundred. */
const MATCHES_MAX = 1_000;
const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

export interface BoardRoomDeps {
  readonly catalog: Pick<Catalog, "contests" | "matches">;
  readonly directory: string;
  readonly warn: (line: string) => void;
}

/**
 * Too little shared memory would show at the deadline, when nothing can be done any more. So it is said while contests
 * fill: once for the seats that are offered, and again, more urgently, for those that are taken. Boards of matches that
 * begin together are needed together.
 */
export class BoardRoom {
  readonly #deps: BoardRoomDeps;
  #told = "";

  constructor(deps: BoardRoomDeps) {
    this.#deps = deps;
  }

  async check(): Promise<void> {
    const { catalog, directory, warn } = this.#deps;
    const matches = await catalog.matches({ states: ["upcoming"], limit: MATCHES_MAX });
    let takenBytes = 0;
    let offeredBytes = 0;
    for (const match of matches) {
      const contests = (await catalog.contests(match.id)).filter(({ state }) => state === "open");
      takenBytes += bytesOf(contests.map(({ id, seatsTaken }) => ({ contestId: id, entryCount: seatsTaken })));
      offeredBytes += bytesOf(contests.map(({ id, entriesMax }) => ({ contestId: id, entryCount: entriesMax })));
    }
    const free = freeBytes(directory);
    const urgent = takenBytes > free;
    const told = urgent ? "taken" : offeredBytes > free ? "offered" : "";
    if (told !== "" && told !== this.#told) {
      const needed = urgent
        ? `the entries of upcoming matches need ${mib(takenBytes)} at their deadlines: their boards will not open`
        : `full contests of upcoming matches would need ${mib(offeredBytes)}`;
      warn(
        `${directory} has ${mib(free)} of shared memory free, and ${needed}; ` +
          "give it more (mount -o remount,size=…), or set another BOARD_DIR",
      );
    }
    this.#told = told;
  }
}

/** Nobody knows yet how many teams there will be; at least as many as the largest contest has entries. */
const bytesOf = (contests: readonly ContestSize[]): number => {
  const filled = contests.filter(({ entryCount }) => entryCount > 0);
  const teamCount = filled.reduce((most, { entryCount }) => Math.max(most, entryCount), 0);
  return filled.length === 0 ? 0 : boardBytes(filled, teamCount);
};
