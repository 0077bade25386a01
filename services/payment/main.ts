// payment-service: takes payments and gives them back. A plain HTTP and gRPC service that knows of no mesh.
//
//   deno run --allow-net=127.0.0.1 --allow-read=proto,services/payment/migrations,.mesh/data --allow-write=.mesh/data \
//     --allow-env=HOST,PORT,GRPC_*,DATABASE_FILE services/payment/main.ts
//
// HOST (127.0.0.1), PORT (8003), GRPC_PORT (50053), DATABASE_FILE (.mesh/data/payment.db, or :memory:)
// Each is also a flag: --port 8003. A HOST or a folder other than these needs its own --allow flags.

import { migrate } from "../lib/migrations.ts";
import { runService } from "../lib/run.ts";
import { commonSettings } from "../lib/settings.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { paymentGrpc } from "./grpc.ts";
import { createPaymentHandler } from "./handlers.ts";
import { SqlitePaymentStore } from "./store.ts";

if (import.meta.main) {
  await runService({
    name: "payment-service",
    settings: commonSettings({
      port: 8003,
      grpcPort: 50053,
      databaseFile: ".mesh/data/payment.db",
    }),
    // deno-lint-ignore require-await
    open: async ({ DATABASE_FILE }, log) => {
      const database = openDatabase(DATABASE_FILE);
      migrate(database, new URL("./migrations/", import.meta.url));
      const store = new SqlitePaymentStore(database);
      const parts = { store, now: () => new Date(), newId: () => crypto.randomUUID(), log };
      return {
        handler: createPaymentHandler(parts),
        grpc: paymentGrpc(parts),
        ping: () => store.ping(),
        close: () => store.close(),
      };
    },
  });
}
