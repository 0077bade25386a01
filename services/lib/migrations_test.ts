import { assertEquals, assertThrows } from "@std/assert";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { migrate } from "./migrations.ts";
import { openDatabase } from "./sqlite.ts";

const create = "create table t (a text);";
const fill = "insert into t values ('once');";

/** Runs against an empty database and a folder with these files. */
function withFolder(
  files: Record<string, string>,
  run: (database: DatabaseSync, folder: URL) => void,
): void {
  const folder = Deno.makeTempDirSync();
  const database = openDatabase(":memory:");
  try {
    for (const [name, sql] of Object.entries(files)) {
      Deno.writeTextFileSync(`${folder}/${name}`, sql);
    }
    run(database, pathToFileURL(`${folder}/`));
  } finally {
    database.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

function count(database: DatabaseSync, table: string): unknown {
  return database.prepare(`select count(*) as n from ${table}`).get()?.n;
}

Deno.test("migrate applies files in the order of their numbers and records them", () => {
  const files = { "0002_fill.sql": fill, "0001_create.sql": create, "notes.md": "ignored" };
  withFolder(files, (database, folder) => {
    assertEquals(migrate(database, folder), ["0001_create.sql", "0002_fill.sql"]);
    assertEquals([count(database, "t"), count(database, "schema_migrations")], [1, 2]);
  });
});

Deno.test("migrate run a second time does nothing, and later applies only what is new", () => {
  withFolder({ "0001_create.sql": create, "0002_fill.sql": fill }, (database, folder) => {
    migrate(database, folder);
    assertEquals(migrate(database, folder), []);
    Deno.writeTextFileSync(new URL("0003_more.sql", folder), fill);
    assertEquals(migrate(database, folder), ["0003_more.sql"]);
    assertEquals(count(database, "t"), 2);
  });
});

Deno.test("migrate leaves nothing of a file that fails half way, and keeps those before it", () => {
  const files = {
    "0001_create.sql": create,
    "0002_bad.sql": `${fill} insert into nowhere values (1);`,
  };
  withFolder(files, (database, folder) => {
    assertThrows(() => migrate(database, folder), Error, "nowhere");
    assertEquals([count(database, "t"), count(database, "schema_migrations")], [0, 1]);
  });
});

Deno.test("migrate refuses a misnamed SQL file before it applies anything", () => {
  withFolder({ "0001_create.sql": create, "2_fill.sql": fill }, (database, folder) => {
    assertThrows(() => migrate(database, folder), Error, "not a migration name: 2_fill.sql");
    assertEquals(count(database, "schema_migrations"), 0);
  });
});
