import { AdminOnly } from "../parts/admin-only.tsx";
import { Link } from "../parts/link.tsx";
import { StateChip } from "../parts/match-card.tsx";
import { NewMatch } from "../parts/new-match.tsx";
import { Loading, Title } from "../parts/screen.tsx";
import { pathTo } from "../paths.ts";
import { useAsk } from "../state/ask.ts";
import { client } from "../state/node.ts";
import { timeText } from "../words.ts";

export const AdminScreen = () => (
  <AdminOnly>
    <div class="wide">
      <Title title="Administration" />
      <div class="admin-columns">
        <MatchTable />
        <NewMatch />
      </div>
    </div>
  </AdminOnly>
);

function MatchTable() {
  const { value: matches } = useAsk(() => client.matches(), []);
  return (
    <section class="card" aria-label="Matches">
      <h2 class="group-title">Matches</h2>
      {matches === undefined && <Loading what="matches" />}
      {matches?.length === 0 && <p class="hint">None yet. Create the first.</p>}
      <ul class="admin-list">
        {matches
          ?.toSorted((a, b) => b.startMs - a.startMs)
          .map((match) => (
            <li key={match.id}>
              <Link href={pathTo.adminMatch(match.id)} class="admin-row">
                <span>
                  <strong>{`${match.sides[0]} v ${match.sides[1]}`}</strong>
                  <span class="hint">{`#${match.id} · ${match.format} · ${timeText(match.startMs)}`}</span>
                </span>
                <StateChip match={match} />
              </Link>
            </li>
          ))}
      </ul>
    </section>
  );
}
