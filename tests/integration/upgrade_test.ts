// HTTP/1.1 upgrades to protocols that nobody has heard of, on raw sockets: client > gateway > sidecar of the app > app.
import { assertEquals } from "@std/assert";
import { freePort } from "./support/ports.ts";
import { type AppHandler, RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { inTime } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const UPGRADE = "connection: Upgrade\r\nupgrade: made-up/7\r\n";
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: made-up/7\r\n\r\n";
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

async function readAll(wire: Wire): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await wire.read(); bytes !== null; bytes = await wire.read()) parts.push(bytes);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** `/echo` sends back what comes; `/die` drops the connection at the first byte; `/refuse` stays with HTTP. */
const serve: AppHandler = async ({ target, wire, fields }) => {
  if (target === "/next") return await wire.write(answer("next"));
  assertEquals([fields.get("connection"), fields.get("upgrade")], ["upgrade", "made-up/7"]);
  if (target === "/refuse") return await wire.write(answer("no", "403 Forbidden"));
  await wire.write(SWITCH + "hello ");
  for (let bytes = await wire.read(); bytes !== null; bytes = await wire.read()) {
    if (target === "/die") break;
    await wire.write(bytes);
  }
  wire.close();
};

Deno.test("an upgrade to a made-up protocol", async (t) => {
  await using workspace = new Workspace();
  await using app = new RawApp(serve);
  const edge = freePort();
  await using sidecar = await TestSidecar.start(workspace, {
    service: "made-up-service",
    app: app.port,
  });
  const routes = [{ match: { path: "/*" }, to: "made-up-service" }];
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: { gateway: { bind: `127.0.0.1:${edge}`, routes } },
  });
  await gateway.sees("made-up-service", [sidecar.ports.inbound]);

  const upgrade = async (target: string, early = ""): Promise<Wire> => {
    const wire = await Wire.dial(edge);
    await wire.write(get("x", target, UPGRADE) + early);
    const head = await wire.readHead();
    assertEquals(head?.startLine, "HTTP/1.1 101 Switching Protocols");
    assertEquals(head?.fields.get("upgrade"), "made-up/7");
    return wire;
  };

  await t.step("passes every byte unchanged, those sent too early included", async () => {
    using wire = await upgrade("/echo", "early ");
    await wire.write(EVERY_BYTE);
    const text = new TextEncoder().encode("hello early ");
    assertEquals(await wire.readBytes(text.length), text);
    assertEquals(await wire.readBytes(256), EVERY_BYTE);
  });

  await t.step("lets the client end its half first", async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: edge });
    const wire = new Wire(connection);
    await wire.write(get("x", "/echo", UPGRADE) + "all of it");
    await wire.readHead();
    await connection.closeWrite();
    assertEquals(new TextDecoder().decode(await readAll(wire)), "hello all of it");
  });

  await t.step("ends at the client when the app dies", async () => {
    using wire = await upgrade("/die");
    assertEquals(await wire.readBytes(6), new TextEncoder().encode("hello "));
    await wire.write("x");
    assertEquals(await inTime("the end", wire.read().catch(() => null)), null);
  });

  await t.step("that was refused leaves the connection to the next request", async () => {
    using wire = await Wire.dial(edge);
    await wire.write(get("x", "/refuse", UPGRADE) + get("x", "/next"));
    const refusal = await wire.readMessage();
    assertEquals([statusOf(refusal!), refusal?.body], [403, "no"]);
    assertEquals((await wire.readMessage())?.body, "next");
    assertEquals((await wire.exchange(get("x", "/next"))).body, "next");
  });
});
