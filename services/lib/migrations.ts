// Brings a SQLite database to the newest schema: each numbered file runs once, in order, in its own transaction.

import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./sqlite.ts";

const fileName = /^\d{4}_[a-z0-9_]+\.sql$/;

const createTable = `create table if not exists schema_migrations (
  name text primary key,
  applied_at text not null
)`;

/** Applies what is missing from the folder; answers with the names it applied. */
export function migrate(database: DatabaseSync, folder: URL): string[] {
  database.exec(createTable);
  return migrationNames(folder).filter((name) => {
    const sql = Deno.readTextFileSync(new URL(name, folder));
    return inTransaction(database, () => applyOnce(database, name, sql));
  });
}

function migrationNames(folder: URL): string[] {
  const names: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    if (!entry.name.endsWith(".sql")) continue;
    // A misnamed file would be skipped, or run out of order, without a word.
    if (!fileName.test(entry.name)) throw new Error(`not a migration name: ${entry.name}`);
    names.push(entry.name);
  }
  return names.sort();
}

function applyOnce(database: DatabaseSync, name: string, sql: string): boolean {
  // Asked inside the transaction: another process may have applied it a moment ago.
  if (database.prepare("select 1 from schema_migrations where name = ?").get(name)) return false;
  database.exec(sql);
  database.prepare("insert into schema_migrations (name, applied_at) values (?, ?)")
    .run(name, new Date().toISOString());
  return true;
}
