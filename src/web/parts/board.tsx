import type { EntryId, TeamNo } from "../../domain/ids.ts";
import { formatPaise, type Paise } from "../../domain/money.ts";
import type { PointsQp } from "../../domain/points.ts";
import { countText, pointsText } from "../words.ts";
import { useFlip } from "./flip.ts";

export interface ShownRow {
  readonly rank: number;
  readonly entryId: EntryId;
  readonly userName: string;
  readonly teamNo: TeamNo;
  readonly scoreQp: PointsQp;
  readonly prizePaise: Paise;
}

interface BoardProps {
  readonly label: string;
  readonly rows: readonly ShownRow[];
  readonly isOwn: (entry: EntryId) => boolean;
  readonly onOpen: (row: ShownRow) => void;
}

/** Rows of a leaderboard; each opens the team behind it. */
export function Board({ label, rows, isOwn, onOpen }: BoardProps) {
  const body = useFlip<HTMLOListElement>();
  return (
    <ol class="board" aria-label={label} ref={body}>
      {rows.map((row) => (
        <li key={row.entryId} data-key={row.entryId}>
          <button
            type="button"
            class={isOwn(row.entryId) ? "board-row board-own" : "board-row"}
            onClick={() => onOpen(row)}
          >
            <span class={row.rank <= 3 ? `board-rank figure medal-${row.rank}` : "board-rank figure"}>
              <span class="sr-only">Rank </span>
              {countText(row.rank)}
            </span>
            <span class="board-who">
              <span class="board-name">{isOwn(row.entryId) ? `You · ${row.userName}` : row.userName}</span>
              <span class="board-team">{`T${row.teamNo}`}</span>
            </span>
            <span class="board-score figure">
              {pointsText(row.scoreQp)}
              <span class="sr-only"> points</span>
            </span>
            <span class="board-prize figure">{row.prizePaise > 0 ? formatPaise(row.prizePaise) : "–"}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
