import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { SqliteOrderStore } from "./store.ts";
import { orderStoreContract } from "./store_contract.ts";

orderStoreContract("SqliteOrderStore", () => {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  return new SqliteOrderStore(database);
});
