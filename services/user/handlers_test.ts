import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { createUserHandler } from "./handlers.ts";
import { seedDemoPasswords } from "./seed.ts";
import { SqliteUserStore } from "./store.ts";
import { Turnstile } from "./turnstile.ts";

const carol = { name: "Carol", email: "carol@example.com", age: 30 };
const login = { username: "carol", password: "carol's secret" };

function openService(turnstile = new Turnstile({ atOnce: 1, waiting: 1 })) {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqliteUserStore(database);
  let ids = 0;
  const logged: string[] = [];
  const log = (_level: string, message: string) => void logged.push(message);
  const handler = createUserHandler({ store, turnstile, newId: () => `new-${++ids}`, log });
  const get = (path: string) => handler(new Request(`http://user-service${path}`));
  const post = (path: string, body: unknown) =>
    handler(
      new Request(`http://user-service${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    );
  return { store, get, post, logged, [Symbol.asyncDispose]: () => store.close() };
}

async function seen(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

Deno.test("GET /users/:id answers a seeded user with exactly the promised bytes", async () => {
  await using service = openService();
  const response = await service.get("/users/123");
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals(await response.text(), '{"id":"123","name":"User-123","age":25}');
  assertEquals(
    await (await service.get("/users/alice")).text(),
    '{"id":"alice","name":"User-alice","age":25}',
  );
});

Deno.test("GET /users/:id answers 404 to an unknown user", async () => {
  await using service = openService();
  for (const id of ["201", "0123", "..%2f", "'%20or%201=1"]) {
    assertEquals(await seen(await service.get(`/users/${id}`)), [404, { error: "user not found" }]);
  }
});

Deno.test("GET /users pages through everybody and tells the total", async () => {
  await using service = openService();
  assertEquals(await seen(await service.get("/users?page=2&page_size=1")), [200, {
    users: [{ id: "2", name: "User-2", email: "user2@example.com", age: 25 }],
    total: 202,
  }]);
  assertEquals((await service.get("/users?page_size=101")).status, 400);
});

Deno.test("POST /users registers a user and answers where it is, without the password", async () => {
  await using service = openService();
  const response = await service.post("/users", { ...carol, ...login });
  assertEquals(response.headers.get("location"), "/users/new-1");
  assertEquals(await seen(response), [201, { id: "new-1", ...carol }]);
  assertEquals((await service.get("/users/new-1")).status, 200);
});

Deno.test("POST /users keeps a salted hash and never the password", async () => {
  await using service = openService();
  await service.post("/users", { ...carol, ...login });
  const hash = (await service.store.findCredentials("carol"))?.passwordHash ?? "";
  assertMatch(hash, /^\$scrypt\$/);
  assertNotMatch(hash, /secret/);
});

Deno.test("POST /users answers 409 to an e-mail or username that is taken", async () => {
  await using service = openService();
  assertEquals(await seen(await service.post("/users", { ...carol, email: "USER1@example.com" })), [
    409,
    { error: "email already registered" },
  ]);
  assertEquals(await seen(await service.post("/users", { ...carol, username: "Bob" })), [
    409,
    { error: "username already registered" },
  ]);
});

Deno.test("POST /users names every field that is wrong", async () => {
  await using service = openService();
  const body = { name: "", email: "carol", age: -1, username: "a b", password: "short" };
  assertEquals(await seen(await service.post("/users", body)), [400, {
    error: "invalid request",
    fields: {
      name: "must be a string of 1 to 100 characters",
      email: "must be an e-mail address",
      age: "must be an integer from 0 to 150",
      username: "must be 3 to 32 letters, digits, dots, dashes or underscores",
      password: "must be a string of 8 to 1024 characters",
    },
  }]);
  assertEquals(await seen(await service.post("/users", { ...carol, password: "long enough" })), [
    400,
    { error: "invalid request", fields: { username: "is required with a password" } },
  ]);
});

Deno.test("POST /users refuses what only looks like an e-mail address", async () => {
  await using service = openService();
  for (const email of ["@a.b", "a@", "a@b", "a@.b", "a@b.", "a@b@c.d", "a b@c.d", 5, undefined]) {
    assertEquals((await service.post("/users", { ...carol, email })).status, 400);
  }
});

Deno.test("POST /credentials/verify tells right from wrong, and not why it was wrong", async () => {
  await using service = openService();
  await service.post("/users", { ...carol, ...login });
  const verify = async (username: string, password: string) =>
    await seen(await service.post("/credentials/verify", { username, password }));
  const refused: [number, unknown] = [401, { error: "invalid credentials" }];
  assertEquals(await verify("carol", login.password), [200, { id: "new-1", username: "carol" }]);
  assertEquals(await verify("carol", "another secret"), refused);
  assertEquals(await verify("nobody", login.password), refused);
  assertEquals(await verify("alice", "alice-password"), refused);
});

Deno.test("POST /credentials/verify wants both as texts", async () => {
  await using service = openService();
  const response = await service.post("/credentials/verify", { username: ["carol"] });
  assertEquals(await seen(response), [400, {
    error: "invalid request",
    fields: {
      username: "must be a string of 1 to 128 characters",
      password: "must be a string of 1 to 1024 characters",
    },
  }]);
});

Deno.test("POST /credentials/verify answers 503 when too many checks wait already", async () => {
  const turnstile = new Turnstile({ atOnce: 1, waiting: 0 });
  await using service = openService(turnstile);
  using _held = await turnstile.enter();
  const response = await service.post("/credentials/verify", login);
  assertEquals(response.headers.get("retry-after"), "1");
  assertEquals(await seen(response), [503, { error: "too many password checks" }]);
});

Deno.test("seedDemoPasswords lets alice and bob in, and leaves passwords alone that they have", async () => {
  await using service = openService();
  await service.store.setFirstPassword("bob", "$scrypt$ln=4,r=8,p=1$AAAA$AAAA");
  await seedDemoPasswords(service.store);
  const credentials = { username: "alice", password: "alice-password" };
  assertEquals(await seen(await service.post("/credentials/verify", credentials)), [200, {
    id: "alice",
    username: "alice",
  }]);
  const bob = await service.store.findCredentials("bob");
  assertEquals(bob?.passwordHash, "$scrypt$ln=4,r=8,p=1$AAAA$AAAA");
});

Deno.test("GET /health answers 503 once the database is gone, and a request 500", async () => {
  const service = openService();
  assertEquals((await service.get("/health")).status, 200);
  await service.store.close();
  assertEquals(await seen(await service.get("/health")), [503, {
    status: "unavailable",
    service: "user-service",
  }]);
  assertEquals(await seen(await service.get("/users/1")), [500, { error: "internal error" }]);
  assertEquals(service.logged, ["request failed"]);
});
