import { useState } from "preact/hooks";
import type { MatchFormat } from "../../domain/match.ts";
import { ROSTER_RULES } from "../../domain/roster.ts";
import { rulesInForce, SCORING_RULES } from "../../domain/scoring/rule-sets.ts";
import { type MatchSource, sourceOfFile, sourceOfSeed, type SourceResult } from "../match-source.ts";
import { pathTo } from "../paths.ts";
import { client } from "../state/node.ts";
import { goTo } from "../state/router.ts";
import { toast } from "../state/toasts.ts";
import { squadLines } from "../text-lines.ts";
import { plural } from "../words.ts";

type Way = "generator" | "file" | "form";

const WAYS: Readonly<Record<Way, string>> = {
  generator: "Generate",
  file: "Cricsheet",
  form: "By hand",
};
const MINUTE_MS = 60_000;
const START_MINUTES = 30;

/** Where a match comes from, and when it starts. */
export function NewMatch() {
  const [way, setWay] = useState<Way>("generator");
  const [source, setSource] = useState<MatchSource | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const take = (result: SourceResult) => {
    setSource(result.ok ? result.source : null);
    setFault(result.ok ? null : result.fault);
  };
  const turn = (name: Way) => {
    setWay(name);
    setSource(null);
    setFault(null);
  };
  return (
    <section class="card" aria-label="New match">
      <h2 class="group-title">New match</h2>
      <div class="segments" role="group" aria-label="From">
        {(Object.keys(WAYS) as Way[]).map((name) => (
          <button key={name} type="button" aria-pressed={way === name} onClick={() => turn(name)}>
            {WAYS[name]}
          </button>
        ))}
      </div>
      {way === "generator" && <FromSeed onSource={take} />}
      {way === "file" && <FromFile onSource={take} />}
      {way === "form" && <ByHand onSource={take} />}
      {fault !== null && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {source !== null && <CreateMatch key={source.name} source={source} />}
    </section>
  );
}

interface FromProps {
  readonly onSource: (result: SourceResult) => void;
}

function FromSeed({ onSource }: FromProps) {
  const [seed, setSeed] = useState("2026");
  const generate = (event: Event) => {
    event.preventDefault();
    onSource(sourceOfSeed(Number(seed)));
  };
  return (
    <form class="form" onSubmit={generate}>
      <label>
        Seed
        <input
          name="seed"
          type="number"
          min="0"
          max="2147483647"
          step="1"
          required
          value={seed}
          onInput={(event) => setSeed(event.currentTarget.value)}
        />
      </label>
      <button class="button button-quiet">Generate two sides</button>
    </form>
  );
}

function FromFile({ onSource }: FromProps) {
  const [text, setText] = useState("");
  const read = (event: Event) => {
    event.preventDefault();
    onSource(sourceOfFile(text));
  };
  const upload = async (event: Event) => {
    const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
    if (file === undefined) return;
    const content = await file.text();
    setText(content);
    onSource(sourceOfFile(content));
  };
  return (
    <form class="form" onSubmit={read}>
      <label>
        File
        <input name="file" type="file" accept="application/json,.json" onChange={upload} />
      </label>
      <label>
        or its text
        <textarea
          name="text"
          rows={5}
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button class="button button-quiet">Read it</button>
    </form>
  );
}

const FORMATS: readonly MatchFormat[] = ["T20", "ODI", "Test", "T10"];

function ByHand({ onSource }: FromProps) {
  const [home, setHome] = useState("");
  const [away, setAway] = useState("");
  const [format, setFormat] = useState<MatchFormat>("T20");
  const [squad, setSquad] = useState("");
  const read = (event: Event) => {
    event.preventDefault();
    const players = squadLines(squad);
    if (!players.ok) return onSource(players);
    return onSource({
      ok: true,
      source: {
        name: `${home} v ${away}`,
        sides: [home, away],
        format,
        scoringRules: rulesInForce(format, new Date(client.nowMs()).getUTCFullYear()),
        players: players.items,
        startingXi: [],
        file: null,
        eventCount: 0,
      },
    });
  };
  return (
    <form class="form" onSubmit={read}>
      <div class="form-pair">
        <label>
          First side
          <input
            name="home"
            required
            maxLength={120}
            value={home}
            onInput={(event) => setHome(event.currentTarget.value)}
          />
        </label>
        <label>
          Second side
          <input
            name="away"
            required
            maxLength={120}
            value={away}
            onInput={(event) => setAway(event.currentTarget.value)}
          />
        </label>
      </div>
      <label>
        Format
        <select value={format} onChange={(event) => setFormat(event.currentTarget.value as MatchFormat)}>
          {FORMATS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Squad, a line each: name, side 1 or 2, role, credits
        <textarea
          name="squad"
          rows={7}
          required
          spellcheck={false}
          placeholder={"Asha Rao, 1, BAT, 9.5\nDev Menon, 2, WK, 8.0"}
          value={squad}
          onInput={(event) => setSquad(event.currentTarget.value)}
        />
      </label>
      <button class="button button-quiet">Check it</button>
    </form>
  );
}

function CreateMatch({ source }: { readonly source: MatchSource }) {
  const [minutes, setMinutes] = useState(String(START_MINUTES));
  const [scoringRules, setScoringRules] = useState(source.scoringRules);
  const [rosterRules, setRosterRules] = useState("modern");
  const [busy, setBusy] = useState(false);
  const create = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const { name, sides, format, players, startingXi } = source;
    const startMs = Math.round(client.nowMs() + Number(minutes) * MINUTE_MS);
    const made = await client.admin.createMatch({ name, sides, format, startMs, scoringRules, rosterRules });
    const squad = made.ok ? await client.admin.putSquad(made.value.id, { players }) : made;
    const announced =
      made.ok && squad.ok && startingXi.length > 0 ? await client.admin.announce(made.value.id, startingXi) : squad;
    setBusy(false);
    if (!announced.ok) toast(announced.refusal.message, "bad");
    if (made.ok) goTo(pathTo.adminMatch(made.value.id));
  };
  return (
    <form class="form create-match" onSubmit={create}>
      <p>
        <strong>{`${source.sides[0]} v ${source.sides[1]}`}</strong>
        <span class="hint">
          {` ${source.format} · ${plural(source.players.length, "player")}${source.eventCount > 0 ? ` · ${plural(source.eventCount, "event")}` : ""}`}
        </span>
      </p>
      <label>
        Starts in how many minutes
        <input
          name="minutes"
          type="number"
          min="0.1"
          step="any"
          required
          value={minutes}
          onInput={(event) => setMinutes(event.currentTarget.value)}
        />
      </label>
      <div class="form-pair">
        <label>
          Points by
          <select value={scoringRules} onChange={(event) => setScoringRules(event.currentTarget.value)}>
            {Object.keys(SCORING_RULES).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Teams by
          <select value={rosterRules} onChange={(event) => setRosterRules(event.currentTarget.value)}>
            {Object.keys(ROSTER_RULES).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      {source.file !== null && <FileToKeep name={source.name} file={source.file} />}
      <button class="button" disabled={busy}>
        {busy ? "Creating…" : "Create the match"}
      </button>
    </form>
  );
}

/** The feed of the match is posted from this file by `powerplay replay`. */
function FileToKeep({ name, file }: { readonly name: string; readonly file: string }) {
  const keep = () => {
    const url = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${name.replaceAll(/[^\p{L}\p{N}]+/gu, "-")}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <p class="hint">
      <button type="button" class="link-button" onClick={keep}>
        Keep the file
      </button>
      to post its balls with <code>powerplay replay FILE --match ID</code>.
    </p>
  );
}
