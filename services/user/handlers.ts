// The HTTP face of the user service. Knows no database and no hashing, only their interfaces.

import { errorAnswer, HttpError, json } from "../lib/answers.ts";
import { readJson } from "../lib/body.ts";
import { Fields, readPage } from "../lib/fields.ts";
import type { Log } from "../lib/log.ts";
import { type Call, createHandler, type Handler } from "../lib/router.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";
import type { UserStore } from "./store.ts";
import type { Turnstile } from "./turnstile.ts";

/** What the handlers are built from; ids come from outside so that tests know them. */
export interface UserServiceParts {
  readonly store: UserStore;
  readonly turnstile: Turnstile;
  readonly newId: () => string;
  readonly log: Log;
}

interface Registration {
  readonly name: string;
  readonly email: string;
  readonly age: number;
  readonly username: string | null;
  readonly password: string | null;
}

/** Answers the requests of the user service. */
export function createUserHandler(parts: UserServiceParts): Handler {
  return createHandler({
    service: "user-service",
    ping: () => parts.store.ping(),
    log: parts.log,
    routes: [
      { method: "GET", path: "/users", handle: (call) => listUsers(parts, call) },
      { method: "POST", path: "/users", handle: (call) => createUser(parts, call) },
      { method: "GET", path: "/users/:id", handle: (call) => getUser(parts, call) },
      { method: "POST", path: "/credentials/verify", handle: (call) => verify(parts, call) },
    ],
  });
}

async function listUsers({ store }: UserServiceParts, { url }: Call): Promise<Response> {
  const { users, total } = await store.list(readPage(url.searchParams));
  return json(200, { users, total });
}

async function getUser({ store }: UserServiceParts, { id }: Call): Promise<Response> {
  const user = await store.find(id);
  if (user === null) return errorAnswer(404, "user not found");
  // Callers compare these bytes, so neither the order nor the e-mail may slip in.
  return json(200, { id: user.id, name: user.name, age: user.age });
}

async function createUser(parts: UserServiceParts, { request }: Call): Promise<Response> {
  const { password, ...fields } = readRegistration(await readJson(request));
  const passwordHash = password === null
    ? null
    : await inTurn(parts.turnstile, () => hashPassword(password));
  const id = parts.newId();
  const outcome = await parts.store.insert({ id, ...fields, passwordHash });
  if (outcome === "email-taken") return errorAnswer(409, "email already registered");
  if (outcome === "username-taken") return errorAnswer(409, "username already registered");
  const { name, email, age } = fields;
  return json(201, { id, name, email, age }, { location: `/users/${encodeURIComponent(id)}` });
}

async function verify({ store, turnstile }: UserServiceParts, { request }: Call) {
  const fields = new Fields(await readJson(request));
  const username = fields.text("username", { max: 128 });
  const password = fields.text("password", { max: 1024, isRaw: true });
  fields.check();
  const known = await store.findCredentials(username);
  const isRight = await inTurn(
    turnstile,
    () => verifyPassword(password, known?.passwordHash ?? null),
  );
  if (known === null || !isRight) return errorAnswer(401, "invalid credentials");
  return json(200, { id: known.id, username: known.username });
}

async function inTurn<T>(turnstile: Turnstile, work: () => Promise<T>): Promise<T> {
  using lease = await turnstile.enter();
  if (lease === null) {
    throw new HttpError(503, "too many password checks", { headers: { "retry-after": "1" } });
  }
  return await work();
}

function readRegistration(body: unknown): Registration {
  const fields = new Fields(body);
  const registration = {
    name: fields.text("name", { max: 100 }),
    email: fields.text("email", {
      max: 254,
      accepts: isEmail,
      expected: "must be an e-mail address",
    }),
    age: fields.integer("age", { min: 0, max: 150 }),
    username: fields.optionalText("username", {
      max: 32,
      accepts: (text) => /^[a-z0-9][a-z0-9._-]{2,31}$/i.test(text),
      expected: "must be 3 to 32 letters, digits, dots, dashes or underscores",
    }) ?? null,
    password: fields.optionalText("password", { min: 8, max: 1024, isRaw: true }) ?? null,
  };
  if (registration.password !== null && registration.username === null) {
    fields.refuse("username", "is required with a password");
  }
  fields.check();
  return registration;
}

/** One @, no space, a dot inside the domain; whether it exists only a letter can tell. */
function isEmail(text: string): boolean {
  const [local, domain, ...more] = text.split("@");
  if (!local || !domain || more.length > 0 || /\s/.test(text)) return false;
  return domain.includes(".") && domain.split(".").every((label) => label !== "");
}
