import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatPaise, type Paise, paise, rupees } from "../../domain/money.ts";
import type { LedgerLine, TransferKind } from "../../stores/ledger/port.ts";
import { Link } from "../parts/link.tsx";
import { Loading, Nothing, Title } from "../parts/screen.tsx";
import { balance, client, refreshBalance, sandbox, session } from "../state/node.ts";
import { addSandboxMoney } from "../state/sandbox-money.ts";
import { loginUrl } from "../state/router.ts";
import { toast } from "../state/toasts.ts";
import { timeText } from "../words.ts";

const PAGE = 20;
const QUICK_RUPEES = [100, 500, 2_000];

/** What moves a wallet; the other kinds move accounts of the house. */
const LINE_WORDS: Readonly<Partial<Record<TransferKind, string>>> = {
  deposit: "Deposit",
  withdrawal_hold: "Withdrawal",
  withdrawal_returned: "Withdrawal returned",
  join: "Entry fee",
  refund: "Entry fee returned",
  prize: "Prize",
};

export function WalletScreen() {
  const who = session.value;
  const [lines, setLines] = useState<readonly LedgerLine[] | null>(null);
  const [isAll, setIsAll] = useState(false);
  const load = async (beforeSeq: number) => {
    const answer = await client.walletLines({ beforeSeq, limit: PAGE });
    if (!answer.ok) return;
    setLines((before) => (beforeSeq === 0 ? answer.value : [...(before ?? []), ...answer.value]));
    setIsAll(answer.value.length < PAGE);
  };
  useEffect(() => {
    if (who !== null) void load(0);
  }, [who?.userId, balance.value]);
  useEffect(() => void refreshBalance(), []);
  if (who === null) {
    return (
      <div class="narrow">
        <Title title="Wallet" />
        <Nothing title="Log in to see your wallet.">
          <Link class="button" href={loginUrl()}>
            Log in
          </Link>
        </Nothing>
      </div>
    );
  }
  return (
    <div class="narrow wallet">
      <Title title="Wallet" />
      <section class="purse-card" aria-label="Balance">
        <span class="label">Balance</span>
        <strong class="figure">{balance.value === null ? "…" : formatPaise(balance.value)}</strong>
        {sandbox.value && <p>Play money of this node's sandbox. Nothing here is real.</p>}
      </section>
      <div class="wallet-forms">
        <Deposit />
        <Withdraw />
      </div>
      <section class="card" aria-label="History">
        <h2 class="group-title">History</h2>
        {lines === null && <Loading what="history" />}
        {lines?.length === 0 && <Nothing title="Nothing has moved yet." />}
        <ul class="ledger">
          {lines?.map((line) => (
            <li key={line.seq}>
              <span class="ledger-words">
                <strong>{LINE_WORDS[line.kind] ?? line.kind}</strong>
                <span class="hint">{timeText(line.atMs)}</span>
              </span>
              <span class={line.amountPaise < 0 ? "ledger-out figure" : "ledger-in figure"}>
                {`${line.amountPaise < 0 ? "−" : "+"}${formatPaise(paise(Math.abs(line.amountPaise)))}`}
              </span>
              <span class="ledger-after figure">
                <span class="sr-only">Balance after </span>
                {formatPaise(line.balanceAfterPaise)}
              </span>
            </li>
          ))}
        </ul>
        {lines !== null && !isAll && lines.length > 0 && (
          <button type="button" class="button button-quiet button-more" onClick={() => void load(lines.at(-1)!.seq)}>
            Older
          </button>
        )}
      </section>
    </div>
  );
}

function Deposit() {
  const [busy, setBusy] = useState(false);
  const add = async (amount: Paise) => {
    setBusy(true);
    const fault = sandbox.value ? await addSandboxMoney(amount) : await openOrder(amount);
    setBusy(false);
    if (fault === null) toast(`${formatPaise(amount)} ${sandbox.value ? "added" : "ordered"}.`);
    else toast(fault, "bad");
  };
  return (
    <MoneyForm title="Add money" verb="Add" name="deposit" busy={busy} onAmount={add}>
      <div class="pills" role="group" aria-label="Quick amounts">
        {QUICK_RUPEES.map((amount) => (
          <button key={amount} type="button" disabled={busy} onClick={() => void add(rupees(amount))}>
            {formatPaise(rupees(amount))}
          </button>
        ))}
      </div>
    </MoneyForm>
  );
}

/** With a real provider the payment is made on its own page; the balance follows. */
async function openOrder(amount: Paise): Promise<string | null> {
  const opened = await client.deposit(amount);
  return opened.ok ? null : opened.refusal.message;
}

function Withdraw() {
  const [busy, setBusy] = useState(false);
  const withdraw = async (amount: Paise) => {
    setBusy(true);
    const opened = await client.withdraw(amount);
    setBusy(false);
    if (opened.ok) toast(`${formatPaise(amount)} is on its way out.`);
    else toast(opened.refusal.message, "bad");
    void refreshBalance();
  };
  return <MoneyForm title="Withdraw" verb="Withdraw" name="withdraw" busy={busy} onAmount={withdraw} />;
}

interface MoneyFormProps {
  readonly title: string;
  readonly verb: string;
  readonly name: string;
  readonly busy: boolean;
  readonly onAmount: (amount: Paise) => Promise<void>;
  readonly children?: ComponentChildren;
}

function MoneyForm({ title, verb, name, busy, onAmount, children }: MoneyFormProps) {
  const [text, setText] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    await onAmount(rupees(Number(text)));
    setText("");
  };
  return (
    <form class="card form money-form" onSubmit={submit} aria-label={title}>
      <h2 class="group-title">{title}</h2>
      {children}
      <label>
        Amount in ₹
        <input
          name={name}
          type="number"
          inputMode="decimal"
          min="1"
          max="1000000"
          step="0.01"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button class="button button-wide" disabled={busy}>
        {busy ? "One moment…" : verb}
      </button>
    </form>
  );
}
