// Users as they are kept. The interface is asynchronous so that a database across a network can stand behind it.
// deno-lint-ignore-file require-await -- async turns a throw of the synchronous database into a rejection.

import type { DatabaseSync } from "node:sqlite";
import type { Page } from "../lib/fields.ts";
import { pingDatabase } from "../lib/sqlite.ts";

/** A user as others may see one. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly age: number;
}

/** A user with what only the store may know. */
export interface NewUser extends User {
  readonly username: string | null;
  readonly passwordHash: string | null;
}

/** What a password is checked against; the hash is null for a user who has never had one. */
export interface Credentials {
  readonly id: string;
  readonly username: string;
  readonly passwordHash: string | null;
}

/** The users; what each implementation must keep stands in store_contract.ts. */
export interface UserStore {
  find(id: string): Promise<User | null>;
  list(page: Page): Promise<{ users: User[]; total: number }>;
  /** E-mail and username are unique whatever their letter case; the answer names the one that was taken. */
  insert(user: NewUser): Promise<"inserted" | "email-taken" | "username-taken">;
  findCredentials(username: string): Promise<Credentials | null>;
  /** Gives a password to a user who has none; answers whether it did. */
  setFirstPassword(id: string, passwordHash: string): Promise<boolean>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

type Row = Record<string, unknown>;

/** Users in a SQLite file that has been migrated; closing the store closes the database. */
export class SqliteUserStore implements UserStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async find(id: string): Promise<User | null> {
    const row = this.#one("select id, name, email, age from users where id = ?", id);
    return row === undefined ? null : toUser(row);
  }

  async list({ page, pageSize }: Page): Promise<{ users: User[]; total: number }> {
    const rows = this.#database
      .prepare("select id, name, email, age from users order by seq limit ? offset ?")
      .all(pageSize, (page - 1) * pageSize);
    const total = Number(this.#one("select count(*) as total from users")?.total);
    return { users: rows.map(toUser), total };
  }

  async insert(user: NewUser): Promise<"inserted" | "email-taken" | "username-taken"> {
    const { changes } = this.#database.prepare(
      `insert into users (id, name, email, age, username, password_hash)
       values (?, ?, ?, ?, ?, ?) on conflict do nothing`,
    ).run(user.id, user.name, user.email, user.age, user.username, user.passwordHash);
    if (changes === 1) return "inserted";
    if (this.#one("select 1 from users where lower(email) = lower(?)", user.email)) {
      return "email-taken";
    }
    if (this.#one("select 1 from users where lower(username) = lower(?)", user.username)) {
      return "username-taken";
    }
    throw new Error("a user with this id exists");
  }

  async findCredentials(username: string): Promise<Credentials | null> {
    const row = this.#one(
      "select id, username, password_hash from users where lower(username) = lower(?)",
      username,
    );
    if (row === undefined) return null;
    const passwordHash = row.password_hash === null ? null : String(row.password_hash);
    return { id: String(row.id), username: String(row.username), passwordHash };
  }

  async setFirstPassword(id: string, passwordHash: string): Promise<boolean> {
    const { changes } = this.#database
      .prepare("update users set password_hash = ? where id = ? and password_hash is null")
      .run(passwordHash, id);
    return changes === 1;
  }

  async ping(): Promise<void> {
    pingDatabase(this.#database);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #one(sql: string, ...values: (string | null)[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }
}

function toUser(row: Row): User {
  return {
    id: String(row.id),
    name: String(row.name),
    email: String(row.email),
    age: Number(row.age),
  };
}
