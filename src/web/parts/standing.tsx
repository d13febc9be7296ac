import { useEffect, useRef, useState } from "preact/hooks";
import type { OwnRow } from "../../client/index.ts";
import { formatPaise, paise } from "../../domain/money.ts";
import { countText, pointsText } from "../words.ts";
import { Icon } from "./icon.tsx";
import { Tween } from "./tween.tsx";

interface StandingProps {
  readonly own: readonly OwnRow[];
  readonly shown: OwnRow;
  readonly entryCount: number;
  readonly isFinal: boolean;
  readonly isRefunded: boolean;
  readonly onShow: (row: OwnRow) => void;
}

/** Own rank, score and prize, as of the last ball. */
export function Standing({ own, shown, entryCount, isFinal, isRefunded, onShow }: StandingProps) {
  const move = useMove(shown);
  const finalLabel = shown.prizePaise > 0 ? "You won" : "No prize this time";
  const prizeLabel = isRefunded ? "Not filled: your fee is back" : isFinal ? finalLabel : "If it ended now";
  return (
    <section
      class={shown.prizePaise > 0 && !isRefunded ? "standing standing-paid" : "standing"}
      aria-label="Your standing"
    >
      {own.length > 1 && (
        <div class="pills" role="group" aria-label="Your teams">
          {own.map((row) => (
            <button
              key={row.entryId}
              type="button"
              aria-pressed={row.entryId === shown.entryId}
              onClick={() => onShow(row)}
            >
              {`T${row.teamNo} · #${countText(row.rank)}`}
            </button>
          ))}
        </div>
      )}
      <div class="standing-main">
        <p class="standing-rank">
          <span class="label">{`Rank · T${shown.teamNo}`}</span>
          <span class="standing-figure figure">
            <span class="standing-hash" aria-hidden="true">
              #
            </span>
            <Tween
              key={shown.entryId}
              value={shown.rank}
              text={(rank) => countText(Math.round(rank))}
              testId="own-rank"
            />
          </span>
          <span class="standing-of">
            {`of ${countText(entryCount)}`}
            {shown.tiedCount > 1 && `, shared by ${countText(shown.tiedCount)}`}
          </span>
        </p>
        <p class="standing-move" data-move={Math.sign(move)}>
          {move !== 0 && (
            <>
              <Icon name={move > 0 ? "up" : "down"} size={18} />
              {`${countText(Math.abs(move))} ${move > 0 ? "up" : "down"}`}
            </>
          )}
        </p>
        <p class="standing-score">
          <span class="label">Points</span>
          <span class="figure">
            <Tween
              key={shown.entryId}
              value={shown.scoreQp}
              text={(qp) => pointsText(Math.round(qp / 2) * 2)}
              testId="own-score"
            />
          </span>
        </p>
        <p class="standing-prize">
          <span class="label">{prizeLabel}</span>
          <span class="figure" data-testid="own-prize">
            {isRefunded ? "–" : formatPaise(paise(shown.prizePaise))}
          </span>
        </p>
      </div>
      <Announcer
        text={`Rank ${countText(shown.rank)} of ${countText(entryCount)}, ${pointsText(shown.scoreQp)} points.`}
      />
    </section>
  );
}

/** Ranks gained (positive) or lost with the last change; another team starts anew. */
function useMove({ entryId, rank }: OwnRow): number {
  const last = useRef({ entryId, rank, move: 0 });
  if (last.current.entryId !== entryId) last.current = { entryId, rank, move: 0 };
  else if (last.current.rank !== rank) last.current = { entryId, rank, move: last.current.rank - rank };
  return last.current.move;
}

const QUIET_MS = 20_000;

/** Ranks change with every ball; a screen reader hears of it at most this often, and always of the latest. */
function Announcer({ text }: { readonly text: string }) {
  const [said, setSaid] = useState("");
  const saidAtMs = useRef(0);
  useEffect(() => {
    const waitMs = Math.max(0, saidAtMs.current + QUIET_MS - performance.now());
    const timer = setTimeout(() => {
      saidAtMs.current = performance.now();
      setSaid(text);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="sr-only" role="status" data-testid="announcer">
      {said}
    </p>
  );
}
