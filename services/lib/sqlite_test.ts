import { assertEquals, assertThrows } from "@std/assert";
import { inTransaction, openDatabase, pingDatabase } from "./sqlite.ts";

Deno.test("openDatabase makes the folder, and a file that only its owner may read", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/deep/er/x.db`;
    const database = openDatabase(file);
    database.exec("create table t (a text)");
    for (const suffix of ["", "-wal", "-shm"]) {
      assertEquals((Deno.statSync(file + suffix).mode ?? 0) & 0o777, 0o600);
    }
    database.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("openDatabase tightens a file that others could read, and keeps what is in it", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/x.db`;
    const first = openDatabase(file);
    first.exec("create table t (a text); insert into t values ('kept')");
    first.close();
    Deno.chmodSync(file, 0o644);
    const second = openDatabase(file);
    assertEquals((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
    assertEquals(second.prepare("select a from t").get()?.a, "kept");
    second.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("inTransaction keeps the work, or on a throw none of it", () => {
  const database = openDatabase(":memory:");
  database.exec("create table t (a text)");
  const insert = () => database.prepare("insert into t values ('x')").run().changes;
  assertEquals(inTransaction(database, insert), 1);
  assertThrows(
    () =>
      inTransaction(database, () => {
        insert();
        throw new Error("half way");
      }),
    Error,
    "half way",
  );
  assertEquals(database.prepare("select count(*) as n from t").get()?.n, 1);
  database.close();
});

Deno.test("pingDatabase throws once the database is closed", () => {
  const database = openDatabase(":memory:");
  pingDatabase(database);
  database.close();
  assertThrows(() => pingDatabase(database));
});
