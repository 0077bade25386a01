// user-service: who the users are, and whether a password is theirs. A plain HTTP and gRPC service that knows of no mesh.
//
//   deno run --allow-net=127.0.0.1 --allow-read=proto,services/user/migrations,.mesh/data --allow-write=.mesh/data \
//     --allow-env=HOST,PORT,GRPC_*,DATABASE_FILE,SEED_DEMO_PASSWORDS services/user/main.ts
//
// HOST (127.0.0.1), PORT (8001), GRPC_PORT (50051), DATABASE_FILE (.mesh/data/user.db, or :memory:)
// SEED_DEMO_PASSWORDS  1 gives alice the password alice-password and bob bob-password; anything else gives none
// Each is also a flag: --port 8001. A HOST or a folder other than these needs its own --allow flags.

import { migrate } from "../lib/migrations.ts";
import { runService } from "../lib/run.ts";
import { commonSettings } from "../lib/settings.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { userGrpc } from "./grpc.ts";
import { createUserHandler } from "./handlers.ts";
import { seedDemoPasswords } from "./seed.ts";
import { SqliteUserStore } from "./store.ts";
import { Turnstile } from "./turnstile.ts";

const settings = {
  ...commonSettings({ port: 8001, grpcPort: 50051, databaseFile: ".mesh/data/user.db" }),
  SEED_DEMO_PASSWORDS: { fallback: "0", about: "1 gives alice and bob their demo passwords" },
} as const;

if (import.meta.main) {
  await runService({
    name: "user-service",
    settings,
    open: async ({ DATABASE_FILE, SEED_DEMO_PASSWORDS }, log) => {
      const database = openDatabase(DATABASE_FILE);
      migrate(database, new URL("./migrations/", import.meta.url));
      const store = new SqliteUserStore(database);
      if (SEED_DEMO_PASSWORDS === "1") await seedDemoPasswords(store);
      const turnstile = new Turnstile({ atOnce: 4, waiting: 32 });
      const newId = () => crypto.randomUUID();
      return {
        handler: createUserHandler({ store, turnstile, newId, log }),
        grpc: userGrpc(store),
        ping: () => store.ping(),
        close: () => store.close(),
      };
    },
  });
}
