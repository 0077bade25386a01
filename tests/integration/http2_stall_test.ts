// One HTTP/2 connection with as many streams as it may have, one of whose readers stalls: two sidecars and an app share one
// connection or few each, and nobody else is to notice.
import { assert, assertEquals } from "@std/assert";
import { isInstalled } from "../../deploy/servers.ts";
import { request } from "../support/h2/block.ts";
import { bytes, headers, MAX_WINDOW, SETTING, windowUpdate } from "../support/h2/frames.ts";
import { H2Peer } from "../support/h2/peer.ts";
import { startFixedRoad } from "./support/grpc_mesh.ts";
import { startNghttpd } from "./support/programs.ts";
import { Workspace } from "./support/workspace.ts";

const ignore = !isInstalled("nghttpd");
const STREAMS = 1000;
const WINDOW = 16_384;
const SMALL_BYTES = 40_000;
const LARGE_BYTES = 4 << 20;
const STALLED = 1;

function get(path: string): Uint8Array {
  return request({ authority: "callee", path });
}

Deno.test({ name: "999 streams end while one of the same connection stalls", ignore }, async () => {
  await using workspace = new Workspace();
  await workspace.write("small", "s".repeat(SMALL_BYTES));
  await workspace.write("large", "l".repeat(LARGE_BYTES));
  await using app = await startNghttpd(workspace.path, "-m", String(STREAMS));
  await using road = await startFixedRoad(workspace, { grpc: app.port });
  const patience = { patienceMs: 30_000 };
  using peer = await H2Peer.client(road.port, [[SETTING.initialWindowSize, WINDOW]], patience);
  await peer.send(windowUpdate(0, MAX_WINDOW - 65_535), headers(STALLED, get("/large")));
  await peer.wait((view) => view.stream(STALLED).bodyBytes === WINDOW, "the stalled one's window");

  const others = Array.from({ length: STREAMS - 1 }, (_, index) => 3 + 2 * index);
  const block = get("/small");
  await peer.send(
    bytes(...others.flatMap((id) => [headers(id, block), windowUpdate(id, SMALL_BYTES - WINDOW)])),
  );
  await peer.wait((view) => others.every((id) => view.stream(id).isOver), "the end of all others");
  for (const id of others) {
    const { status, bodyBytes, reset } = peer.view.stream(id);
    assertEquals([status, bodyBytes, reset], ["200", SMALL_BYTES, undefined]);
  }
  assertEquals(peer.view.stream(STALLED).bodyBytes, WINDOW);
  assert(!peer.view.stream(STALLED).isOver);

  await peer.send(windowUpdate(STALLED, LARGE_BYTES));
  const { bodyBytes, isEnded } = await peer.over(STALLED);
  assertEquals([bodyBytes, isEnded], [LARGE_BYTES, true]);
});
