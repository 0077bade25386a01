import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { SqliteUserStore } from "./store.ts";
import { userStoreContract } from "./store_contract.ts";

userStoreContract("SqliteUserStore", () => {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  return new SqliteUserStore(database);
});
