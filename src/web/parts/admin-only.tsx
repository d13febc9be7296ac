import type { ComponentChildren } from "preact";
import { isAdmin, session } from "../state/node.ts";
import { loginUrl } from "../state/router.ts";
import { Link } from "./link.tsx";
import { Nothing, Title } from "./screen.tsx";

/** A courtesy: what others may not do, the node refuses them anyway. */
export function AdminOnly({ children }: { readonly children: ComponentChildren }) {
  if (isAdmin.value) return <>{children}</>;
  return (
    <div class="narrow">
      <Title title="Administration" />
      <Nothing title="This is for administrators.">
        {session.value === null && (
          <Link class="button" href={loginUrl()}>
            Log in
          </Link>
        )}
      </Nothing>
    </div>
  );
}
