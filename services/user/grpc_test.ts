import { assertEquals, assertRejects } from "@std/assert";
import { InvalidRequest } from "../lib/fields.ts";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { callMethod } from "../lib/test_grpc.ts";
import { userGrpc } from "./grpc.ts";
import { SqliteUserStore } from "./store.ts";

interface Listing {
  readonly users: readonly { readonly userId: string; readonly age: number }[];
  readonly total: number;
}

function openService() {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqliteUserStore(database);
  const service = userGrpc(store);
  const getUser = (userId: string) => callMethod(service, "GetUser", { userId });
  const listUsers = async (page: number, pageSize: number) => {
    const { users, total } = await callMethod(service, "ListUsers", { page, pageSize }) as Listing;
    return [users.map(({ userId, age }) => `${userId} ${age}`), total];
  };
  return { getUser, listUsers, [Symbol.asyncDispose]: () => store.close() };
}

Deno.test("GetUser answers a seeded user as the guide does", async () => {
  await using service = openService();
  for (const userId of ["123", "alice"]) {
    const email = userId === "alice" ? "alice@example.com" : "user123@example.com";
    const expected = { userId, name: `User-${userId}`, email, age: 25 };
    assertEquals(await service.getUser(userId), expected);
  }
});

Deno.test("GetUser answers NOT_FOUND to an unknown user, as HTTP answers 404", async () => {
  await using service = openService();
  for (const userId of ["", "201", "0123", "' or 1=1"]) {
    assertEquals(await service.getUser(userId), [5, "user not found"]);
  }
});

Deno.test("ListUsers tells of 100 users, the i-th of age 20+i, on pages without overlap or gap", async () => {
  await using service = openService();
  assertEquals(await service.listUsers(1, 3), [["1 20", "2 21", "3 22"], 100]);
  assertEquals(await service.listUsers(2, 3), [["4 23", "5 24", "6 25"], 100]);
  assertEquals(await service.listUsers(34, 3), [["100 119"], 100]);
  assertEquals(await service.listUsers(35, 3), [[], 100]);
});

Deno.test("ListUsers takes a number that is not set for the first page of ten", async () => {
  await using service = openService();
  assertEquals(await service.listUsers(0, 0), await service.listUsers(1, 10));
});

Deno.test("ListUsers refuses a page or size out of range", async () => {
  await using service = openService();
  for (const [page, size] of [[-1, 10], [1_000_001, 10], [1, -1], [1, 101]] as const) {
    await assertRejects(() => service.listUsers(page, size), InvalidRequest);
  }
});
