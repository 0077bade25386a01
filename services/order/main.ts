// order-service: places orders, by asking the user and payment services. A plain HTTP and gRPC service that knows of no
// mesh.
//
//   deno run --allow-net=127.0.0.1 --allow-read=proto,services/order/migrations,.mesh/data --allow-write=.mesh/data \
//     --allow-env=HOST,PORT,GRPC_*,DATABASE_FILE,OUTBOUND_URL services/order/main.ts
//
// HOST (127.0.0.1), PORT (8002), GRPC_PORT (50052), DATABASE_FILE (.mesh/data/order.db, or :memory:)
// OUTBOUND_URL (http://127.0.0.1:15201)  where gRPC calls go, with :authority user-service or payment-service
// Each is also a flag: --port 8002. A HOST or a folder other than these needs its own --allow flags.

import { migrate } from "../lib/migrations.ts";
import { runService } from "../lib/run.ts";
import { commonSettings, SettingError } from "../lib/settings.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { orderGrpc } from "./grpc.ts";
import { GrpcUpstreams } from "./grpc_client.ts";
import { createOrderHandler } from "./handlers.ts";
import { Recovery } from "./recovery.ts";
import { SqliteOrderStore } from "./store.ts";

const settings = {
  ...commonSettings({ port: 8002, grpcPort: 50052, databaseFile: ".mesh/data/order.db" }),
  OUTBOUND_URL: {
    fallback: "http://127.0.0.1:15201",
    about: "where calls to other services go, told apart by authority",
  },
} as const;

const callTimeoutMs = 3_000;

if (import.meta.main) {
  await runService({
    name: "order-service",
    settings,
    // deno-lint-ignore require-await
    open: async ({ DATABASE_FILE, OUTBOUND_URL }, log) => {
      const url = parseOutbound(OUTBOUND_URL);
      const database = openDatabase(DATABASE_FILE);
      migrate(database, new URL("./migrations/", import.meta.url));
      const store = new SqliteOrderStore(database);
      const upstreams = new GrpcUpstreams({ url, timeoutMs: callTimeoutMs });
      const newId = () => crypto.randomUUID();
      const parts = { store, upstreams, now: () => new Date(), newId, log };
      const recovery = new Recovery(parts, log);
      return {
        handler: createOrderHandler(parts),
        grpc: orderGrpc(parts),
        ping: () => store.ping(),
        close: async () => {
          await recovery.stop();
          upstreams[Symbol.dispose]();
          await store.close();
        },
      };
    },
  });
}

function parseOutbound(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === "http:") return url;
  throw new SettingError(78, "OUTBOUND_URL must be an http:// URL");
}
