import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { SqlitePaymentStore } from "./store.ts";
import { paymentStoreContract } from "./store_contract.ts";

paymentStoreContract("SqlitePaymentStore", () => {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  return new SqlitePaymentStore(database);
});
