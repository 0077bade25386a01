// Opens a service's own SQLite file. Nobody but the service's user may read it: it holds password hashes and payments.

import { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";

const inMemory = ":memory:";

/** Opens the file, creating it and its folder where missing; the caller closes it. */
export function openDatabase(file: string): DatabaseSync {
  if (file !== inMemory) createPrivate(file);
  const database = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true });
  // Readers do not wait for the writer; SQLite gives the two extra files the mode of the first.
  database.exec("pragma journal_mode = wal");
  return database;
}

/** Runs `work` in one write transaction; a throw rolls all of it back. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  // "immediate" takes the write lock at once, so that two processes cannot both decide on what they have read.
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}

/** Throws when the database does not answer. */
export function pingDatabase(database: DatabaseSync): void {
  database.prepare("select 1").get();
}

function createPrivate(file: string): void {
  Deno.mkdirSync(dirname(file), { recursive: true });
  // The file exists with its mode before SQLite writes a byte; a looser one from before is tightened.
  Deno.openSync(file, { create: true, append: true, mode: 0o600 }).close();
  Deno.chmodSync(file, 0o600);
}
