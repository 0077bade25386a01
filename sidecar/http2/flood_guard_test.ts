// The floods, each as a client sends it, and what stays allowed.
import { assertEquals } from "@std/assert";
import { PushBody } from "../../tests/support/messages.ts";
import { FieldList } from "../http/fields.ts";
import { FLAG, FRAME } from "./frame.ts";
import { data, frame, reset, settings, uint32s, windowUpdate } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const CANCEL = 8;
const CALM = /^GOAWAY \d+ ENHANCE_YOUR_CALM$/;
const LIMITS = { resetsPerWindow: 100, controlFramesPerWindow: 100, floodWindowMs: 10_000 };

function open() {
  const waiting = () => ({ status: 200, headers: new FieldList(), body: new PushBody() });
  return ServerTest.open(waiting, LIMITS);
}

/** What a client sends again and again; `i` counts from 1. */
const FLOODS: Record<string, (server: ServerTest, i: number) => Uint8Array[]> = {
  "rapid reset (CVE-2023-44487)": ({ client }, i) => [
    client.request(2 * i + 1),
    reset(2 * i + 1, CANCEL),
  ],
  "resets that we are made to send (CVE-2025-8671)": ({ client }, i) => [
    client.request(2 * i + 1),
    windowUpdate(2 * i + 1, 0),
  ],
  "malformed requests": ({ client }, i) => [client.request(2 * i + 1, { "x": " y" })],
  "empty heads": (_, i) => [
    frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 2 * i + 1),
  ],
  "SETTINGS (CVE-2019-9515)": () => [settings([4, 65535])],
  "SETTINGS acknowledged that were not sent": () => [frame(FRAME.SETTINGS, FLAG.ACK, 0)],
  "PING (CVE-2019-9512)": () => [frame(FRAME.PING, 0, 0, "12345678")],
  "PRIORITY (CVE-2019-9513)": () => [frame(FRAME.PRIORITY, 0, 1, new Uint8Array(5))],
  "empty DATA (CVE-2019-9518)": () => [data(1, "")],
  "DATA of padding alone": () => [frame(FRAME.DATA, FLAG.PADDED, 1, "\x03\0\0\0")],
  "WINDOW_UPDATE": () => [windowUpdate(0, 1)],
  "WINDOW_UPDATE of a stream": () => [windowUpdate(1, 1)],
  "resets of what is gone": () => [reset(1, CANCEL)],
  "frames of an unknown type": () => [frame(0x77, 0, 0)],
  "GOAWAY": () => [frame(FRAME.GOAWAY, 0, 0, uint32s(0, 0))],
};

Deno.test("a flood ends its connection, and the same in small measure does not", async (t) => {
  for (const [name, flood] of Object.entries(FLOODS)) {
    await t.step(name, async () => {
      const server = await open();
      const { client } = server;
      await client.send(client.request(1, {}, false));
      for (let i = 1; i <= 50; i++) await client.send(...flood(server, i));
      assertEquals([server.client.transport.isWriteClosed, server.isOver], [false, false]);
      const lines: string[] = [];
      for (let i = 51; i <= 250; i++) lines.push(...await client.said(...flood(server, i)));
      assertEquals(lines.filter((line) => CALM.test(line)).length, 1);
      assertEquals(server.client.transport.isWriteClosed, true);
      await server.hangUp();
    });
  }
});

Deno.test("time forgives", async () => {
  const server = await open();
  const { client } = server;
  await server.sweep(0);
  for (let i = 1; i <= 90; i++) {
    await client.send(client.request(2 * i - 1), reset(2 * i - 1, CANCEL));
  }
  await server.sweep(10_000);
  for (let i = 91; i <= 180; i++) {
    await client.send(client.request(2 * i - 1), reset(2 * i - 1, CANCEL));
  }
  assertEquals(client.transport.isWriteClosed, false);
  await server.hangUp();
});

Deno.test("updates and pings that our own DATA explains are no flood", async () => {
  const body = new PushBody();
  const server = await ServerTest.open(
    () => ({ status: 200, headers: new FieldList(), body }),
    LIMITS,
  );
  const { client } = server;
  await client.send(client.request(1));
  for (let i = 0; i < 400; i++) {
    body.give("x");
    await client.send(windowUpdate(0, 1), windowUpdate(1, 1), frame(FRAME.PING, 0, 0, "12345678"));
  }
  assertEquals(client.transport.isWriteClosed, false);
  await server.hangUp();
});

Deno.test("CONTINUATION without end is cut off (CVE-2024-27316)", async () => {
  for (const size of [0, 1, 16384]) {
    const server = await open();
    const { client } = server;
    await client.send(frame(FRAME.HEADERS, 0, 1, client.block({ ":method": "GET" })));
    let frames = 0;
    while (!client.transport.isWriteClosed && frames < 1000) {
      frames++;
      await client.send(frame(FRAME.CONTINUATION, 0, 1, "x".repeat(size)));
    }
    assertEquals(frames <= 100, true, `${frames} frames of ${size} bytes`);
    await server.hangUp();
  }
});
