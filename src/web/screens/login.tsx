import { useEffect, useState } from "preact/hooks";
import { DemoButtons } from "../parts/demo-buttons.tsx";
import { Title } from "../parts/screen.tsx";
import { client, sandbox, session } from "../state/node.ts";
import { afterLogin, goTo } from "../state/router.ts";

type Mode = "logIn" | "register";

const MODES: Readonly<Record<Mode, { readonly label: string; readonly hint: string }>> = {
  logIn: { label: "Log in", hint: "Welcome back." },
  register: { label: "Register", hint: "A name of 3 to 40 letters, digits, dots, hyphens; a password of 8 or more." },
};

export function LoginScreen() {
  const [mode, setMode] = useState<Mode>("logIn");
  const isIn = session.value !== null;
  useEffect(() => {
    if (isIn) goTo(afterLogin(), { replace: true });
  }, [isIn]);
  return (
    <div class="narrow login">
      <Title title={MODES[mode].label}>Step up to the crease</Title>
      {sandbox.value && (
        <section class="card login-demo" aria-label="Try it">
          <h2>Just looking?</h2>
          <p>A demo user, a wallet with play money, a match against bots. One click.</p>
          <DemoButtons />
        </section>
      )}
      <section class="card" aria-label="With a name">
        <div class="segments" role="group" aria-label="New here?">
          {(Object.keys(MODES) as Mode[]).map((name) => (
            <button key={name} type="button" aria-pressed={mode === name} onClick={() => setMode(name)}>
              {MODES[name].label}
            </button>
          ))}
        </div>
        <Credentials key={mode} mode={mode} />
      </section>
    </div>
  );
}

function Credentials({ mode }: { readonly mode: Mode }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const answer = mode === "logIn" ? await client.logIn(name, password) : await client.register(name, password);
    setBusy(false);
    setFault(answer.ok ? null : answer.refusal.message);
  };
  return (
    <form class="form" onSubmit={submit}>
      <p class="hint" id="credentials-hint">
        {MODES[mode].hint}
      </p>
      <label>
        Name
        <input
          name="name"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          minLength={3}
          maxLength={40}
          aria-describedby="credentials-hint"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autocomplete={mode === "logIn" ? "current-password" : "new-password"}
          required
          minLength={8}
          maxLength={200}
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      {fault !== null && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <button class="button button-wide" disabled={busy}>
        {busy ? "One moment…" : MODES[mode].label}
      </button>
    </form>
  );
}
