import type { User, UserRole } from "../stores/catalog/port.ts";

/** What only a node started for trying out offers: users without a password, and money without a bank. */
export interface Sandbox {
  openGuest(role: UserRole): Promise<User>;
  /** false: the provider's order is not waiting to be paid. */
  pay(providerOrderId: string): boolean;
}
