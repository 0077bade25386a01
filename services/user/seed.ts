// Passwords for the demo's two people. They are public knowledge, so they are set only where somebody asked for it.

import { hashPassword } from "./passwords.ts";
import type { UserStore } from "./store.ts";

/** Gives alice and bob their demo passwords, unless they have one already. */
export async function seedDemoPasswords(store: UserStore): Promise<void> {
  for (const username of ["alice", "bob"]) {
    const known = await store.findCredentials(username);
    if (known === null || known.passwordHash !== null) continue;
    await store.setFirstPassword(known.id, await hashPassword(`${username}-password`));
  }
}
