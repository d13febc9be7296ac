import { CONTEST_KINDS, type ContestKind } from "../../domain/contest.ts";
import { type ContestFilter, type FeeName, FEES, type SortName, SORTS } from "../contest-filter.ts";
import { KIND_WORDS } from "../words.ts";

interface ContestFiltersProps {
  readonly filter: ContestFilter;
  readonly onChange: (filter: ContestFilter) => void;
}

export function ContestFilters({ filter, onChange }: ContestFiltersProps) {
  const kinds: readonly (readonly [ContestKind | null, string])[] = [
    [null, "All"],
    ...CONTEST_KINDS.map((kind) => [kind, KIND_WORDS[kind]] as const),
  ];
  return (
    <div class="filters">
      <div class="pills" role="group" aria-label="Kind of contest">
        {kinds.map(([kind, label]) => (
          <button
            key={label}
            type="button"
            aria-pressed={filter.kind === kind}
            onClick={() => onChange({ ...filter, kind })}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="filters-row">
        <label>
          <span class="sr-only">Entry fee</span>
          <select
            value={filter.fee}
            onChange={(event) => onChange({ ...filter, fee: event.currentTarget.value as FeeName })}
          >
            {Object.entries(FEES).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="sr-only">Sort by</span>
          <select
            value={filter.sort}
            onChange={(event) => onChange({ ...filter, sort: event.currentTarget.value as SortName })}
          >
            {Object.entries(SORTS).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={filter.onlyOpen}
            onChange={(event) => onChange({ ...filter, onlyOpen: event.currentTarget.checked })}
          />
          With spots left
        </label>
      </div>
    </div>
  );
}
