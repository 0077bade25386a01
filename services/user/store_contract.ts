// What every UserStore must do, run against each implementation. It starts from the seeded users.

import { assertEquals, assertRejects } from "@std/assert";
import type { UserStore } from "./store.ts";

const carol = { id: "c1", name: "Carol", email: "carol@example.com", age: 30 };

/** Registers the tests; `open` gives a store of its own, freshly migrated, to each. */
export function userStoreContract(kind: string, open: () => UserStore): void {
  const promise = (text: string, keep: (store: UserStore) => Promise<void>) =>
    Deno.test(`${kind} ${text}`, async () => {
      const store = open();
      await keep(store);
      await store.close();
    });

  promise("starts with 200 numbered users, alice and bob, in this order", async (store) => {
    const { users, total } = await store.list({ page: 3, pageSize: 100 });
    assertEquals([users.map(({ id }) => id), total], [["alice", "bob"], 202]);
    const user = { id: "123", name: "User-123", email: "user123@example.com", age: 25 };
    assertEquals(await store.find("123"), user);
    assertEquals(await store.find("201"), null);
  });

  promise("lists pages without overlap or gap, and an empty one past the end", async (store) => {
    const idsOf = async (page: number) =>
      (await store.list({ page, pageSize: 2 })).users.map(({ id }) => id);
    assertEquals([await idsOf(1), await idsOf(2)], [["1", "2"], ["3", "4"]]);
    assertEquals(await idsOf(102), []);
  });

  promise("keeps a new user at the end of the list", async (store) => {
    const user = { ...carol, username: null, passwordHash: null };
    assertEquals(await store.insert(user), "inserted");
    assertEquals(await store.find("c1"), carol);
    assertEquals((await store.list({ page: 203, pageSize: 1 })).users, [carol]);
  });

  promise("refuses an e-mail or username that is taken in any letter case", async (store) => {
    const user = { ...carol, username: "carol", passwordHash: null };
    assertEquals(await store.insert({ ...user, email: "Alice@Example.com" }), "email-taken");
    assertEquals(await store.insert({ ...user, username: "ALICE" }), "username-taken");
    assertEquals(await store.find("c1"), null);
  });

  promise("lets any number of users have no username", async (store) => {
    const nameless = { ...carol, username: null, passwordHash: null };
    assertEquals(await store.insert(nameless), "inserted");
    assertEquals(
      await store.insert({ ...nameless, id: "c2", email: "c2@example.com" }),
      "inserted",
    );
  });

  promise("finds credentials by username in any letter case", async (store) => {
    await store.insert({ ...carol, username: "Carol", passwordHash: "hash" });
    const found = { id: "c1", username: "Carol", passwordHash: "hash" };
    assertEquals(await store.findCredentials("cAROL"), found);
    const alice = { id: "alice", username: "alice", passwordHash: null };
    assertEquals(await store.findCredentials("alice"), alice);
    assertEquals(await store.findCredentials("nobody"), null);
  });

  promise("sets a first password and never replaces one", async (store) => {
    assertEquals(await store.setFirstPassword("alice", "first"), true);
    assertEquals(await store.setFirstPassword("alice", "second"), false);
    assertEquals((await store.findCredentials("alice"))?.passwordHash, "first");
  });

  Deno.test(`${kind} rejects a ping once it is closed`, async () => {
    const store = open();
    await store.ping();
    await store.close();
    await assertRejects(() => store.ping());
  });
}
