import { useState } from "preact/hooks";
import type { ContestInfo } from "../../client/index.ts";
import type { MatchId } from "../../domain/ids.ts";
import { client } from "../state/node.ts";

interface InviteFormProps {
  readonly match: MatchId;
  readonly onFound: (contest: ContestInfo, inviteCode: string) => void;
}

/** Private contests are in no list: whoever knows the code finds it. */
export function InviteForm({ match, onFound }: InviteFormProps) {
  const [code, setCode] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const find = async (event: Event) => {
    event.preventDefault();
    const found = await client.findInvited(match, code.trim());
    setFault(found.ok ? null : found.refusal.message);
    if (found.ok) onFound(found.value, code.trim());
  };
  return (
    <form class="invite" onSubmit={find}>
      <label>
        Have an invite code?
        <input
          name="invite"
          required
          maxLength={64}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          value={code}
          onInput={(event) => setCode(event.currentTarget.value)}
        />
      </label>
      <button class="button button-quiet">Find contest</button>
      {fault !== null && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}
