// Flow control end to end: windows that hold, windows that come back.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { PushBody, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { BytesBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { ReceiveWindow } from "./flow_control.ts";
import { FLAG, FRAME } from "./frame.ts";
import { PREFACE } from "./frame_reader.ts";
import { ClientTest } from "./test_client.ts";
import { data, frame, joined, reset, settings, SETTINGS_ACK, windowUpdate } from "./test_peer.ts";
import { type Respond, ServerTest } from "./test_server.ts";

const CANCEL = 8;
const INITIAL_WINDOW_SIZE = 4, MAX_FRAME_SIZE = 5;
const WINDOW = 65535;

function answering(body: string): Respond {
  return () => ({
    status: 200,
    headers: new FieldList(),
    body: new BytesBody(new TextEncoder().encode(body)),
  });
}

function dataIn(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith("DATA"));
}

Deno.test("a response goes no further than its stream's window, which may be negative", async () => {
  const server = await ServerTest.open(answering("0123456789"), {});
  const { client } = server;
  await client.send(settings([INITIAL_WINDOW_SIZE, 4]));
  assertEquals(dataIn(await client.said(client.request(1))), ["DATA 1 0123"]);
  // 4 were sent: the window is now at -3, and then at 0.
  assertEquals(await client.said(settings([INITIAL_WINDOW_SIZE, 1])), []);
  assertEquals(await client.said(windowUpdate(1, 3)), []);
  assertEquals(await client.said(windowUpdate(1, 1)), ["DATA 1 4"]);
  assertEquals(await client.said(settings([INITIAL_WINDOW_SIZE, 100])), ["DATA 1 56789 end"]);
  await server.hangUp();
});

Deno.test("a response goes no further than the connection's window, and streams take turns in it", async () => {
  const server = await ServerTest.open(answering("x".repeat(50_000)));
  const { client } = server;
  await client.send(settings([INITIAL_WINDOW_SIZE, 100_000]));
  const lines = dataIn(await client.said(client.request(1), client.request(3), client.request(5)));
  const bytes = (from: readonly string[], id: number) =>
    from.filter((line) => line.startsWith(`DATA ${id} `))
      .reduce((sum, line) => sum + line.split(" ")[2]!.length, 0);
  assertEquals([1, 3, 5].reduce((sum, id) => sum + bytes(lines, id), 0), WINDOW);
  const more = dataIn(await client.said(windowUpdate(0, 30_000)));
  assertEquals([1, 3, 5].reduce((sum, id) => sum + bytes(more, id), 0), 30_000);
  for (const id of [1, 3, 5]) assert(bytes([...lines, ...more], id) > 0, `stream ${id} starved`);
  const rest = dataIn(await client.said(windowUpdate(0, 100_000)));
  for (const id of [1, 3, 5]) assertEquals(bytes([...lines, ...more, ...rest], id), 50_000);
  await server.hangUp();
});

Deno.test("a stalled reader slows nobody else", async () => {
  const server = await ServerTest.open(answering("x".repeat(100)));
  const { client } = server;
  await client.send(settings([INITIAL_WINDOW_SIZE, 0]));
  await client.said(...[1, 3, 5, 7].map((id) => client.request(id)));
  await client.send(settings([INITIAL_WINDOW_SIZE, 100]), reset(1, CANCEL));
  assertEquals(dataIn(await client.said(client.request(9))).length, 1);
  await server.hangUp();
});

Deno.test("frames are no larger than the peer takes", async () => {
  const server = await ServerTest.open(answering("x".repeat(40_000)));
  const { client } = server;
  const sizes = async (id: number) =>
    dataIn(await client.said(client.request(id))).map((line) => line.split(" ")[2]!.length);
  for (const size of await sizes(1)) assertLessOrEqual(size, 16384);
  await client.send(settings([MAX_FRAME_SIZE, 20_000]), windowUpdate(0, 100_000));
  assertEquals((await sizes(3))[0], 20_000);
  await server.hangUp();
});

Deno.test("windows that grow beyond 2^31-1 end the stream or the connection", async () => {
  const stuck = () => ({ status: 200, headers: new FieldList(), body: new PushBody() });
  const server = await ServerTest.open(stuck);
  const { client } = server;
  await client.send(client.request(1));
  const tooMuch = windowUpdate(1, 2 ** 31 - 1);
  assertEquals(await client.said(tooMuch), ["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
  const connection = await client.said(windowUpdate(0, 2 ** 31 - 1));
  assertEquals(connection, ["GOAWAY 1 FLOW_CONTROL_ERROR"]);
  const other = await ServerTest.open(stuck);
  await other.client.send(other.client.request(1), windowUpdate(1, 2 ** 31 - 1 - WINDOW));
  assertEquals(await other.client.said(settings([INITIAL_WINDOW_SIZE, WINDOW + 1])), [
    "GOAWAY 1 FLOW_CONTROL_ERROR",
  ]);
});

Deno.test("a peer that sends more than it was granted is stopped", async () => {
  const limits = { streamWindowBytes: WINDOW, connectionWindowBytes: 2 * WINDOW };
  const server = await ServerTest.open(() => new Promise<Response>(() => {}), limits);
  const { client } = server;
  const chunk = "x".repeat(13107);
  const full = (id: number) => [client.request(id, {}, false), ...Array(5).fill(data(id, chunk))];
  assertEquals(await client.said(...full(1), ...full(3)), []);
  const beyond = await client.said(client.request(5, {}, false), data(5, "x"));
  assertEquals(beyond, ["GOAWAY 5 FLOW_CONTROL_ERROR"]);
  const other = await ServerTest.open(() => new Promise<Response>(() => {}), limits);
  const frames = [other.client.request(1, {}, false), ...Array(5).fill(data(1, chunk))];
  assertEquals(await other.client.said(...frames, data(1, "x")), [
    "RST_STREAM 1 FLOW_CONTROL_ERROR",
  ]);
});

Deno.test("credit comes as the reader takes, by halves of a window", async () => {
  const server = await ServerTest.open(() => new Promise<Response>(() => {}), {
    streamWindowBytes: 100_000,
  });
  const { client } = server;
  const chunk = "x".repeat(10_000);
  await client.send(client.request(1, {}, false));
  assertEquals(await client.said(...Array(9).fill(data(1, chunk))), []);
  const { body } = server.incoming[0]!.request;
  let taken = 0;
  while (taken < 49_000) taken += body.take()!.length;
  assertEquals(await client.said(), []);
  while (taken < 90_000) taken += body.take()!.length;
  const lines = await client.said();
  assertEquals(lines.length, 1);
  const granted = Number(/^WINDOW_UPDATE 1 (\d+)$/.exec(lines[0]!)![1]);
  assert(granted >= 50_000 && granted <= 90_000);
  server.connection.abort();
});

/** A client that keeps count of the connection's window. */
class Counting {
  window = WINDOW;
  readonly server: ServerTest;
  /** How to answer each request. */
  readonly answers: Map<number, (response: Response) => void>;

  constructor(server: ServerTest, answers = new Map<number, (response: Response) => void>()) {
    this.server = server;
    this.answers = answers;
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    for (const bytes of frames) if (bytes[3] === FRAME.DATA) this.window -= bytes.length - 9;
    for (const line of await this.server.client.send(...frames)) {
      const update = /^WINDOW_UPDATE 0 (\d+)$/.exec(line);
      if (update !== null) this.window += Number(update[1]);
    }
    assert(this.window >= 0, "the window was not given back");
  }
}

const PADDED = frame(FRAME.DATA, FLAG.PADDED, 1, "\x64" + "x".repeat(900) + "\0".repeat(100));

/** Every way in which bytes can go unread. */
const UNREAD: Record<string, (client: Counting, id: number) => Promise<void>> = {
  "reset by the client": (client, id) => client.send(reset(id, CANCEL)),
  "the response is early": async (client, id) => {
    const body = new PushBody().give(null);
    client.answers.get(id)!({ status: 200, headers: new FieldList(), body });
    await client.send();
  },
  "cancelled by the reader": async (client) => {
    client.server.incoming.at(-1)!.request.body.cancel();
    await client.send(data(Number(client.server.incoming.at(-1)!.request.target.slice(1)), "more"));
  },
  "beyond content-length": (client, id) => client.send(data(id, "x".repeat(15_000))),
  "malformed trailers": (client, id) =>
    client.send(client.server.client.head(id, { ":path": "/" }, true)),
};

Deno.test("the connection's window comes back from bodies that nobody reads", async (t) => {
  for (const [name, end] of Object.entries(UNREAD)) {
    await t.step(name, async () => {
      const limits = { connectionWindowBytes: WINDOW, resetsPerWindow: 1e6 };
      const answers = new Map<number, (response: Response) => void>();
      const server = await ServerTest.open(
        ({ request }) =>
          new Promise<Response>((resolve) =>
            void answers.set(Number(request.target.slice(1)), resolve)
          ),
        limits,
      );
      const client = new Counting(server, answers);
      for (let id = 1; id < 100; id += 2) {
        const head = server.client.request(id, { "content-length": "20000" }, false);
        await client.send(head, data(id, "x".repeat(10_000)));
        await end(client, id);
      }
      // All of it is back, but for what is still to be announced.
      await client.send();
      assert(client.window > WINDOW / 2 - 1, `only ${client.window} of ${WINDOW} came back`);
      server.connection.abort();
    });
  }
});

Deno.test("padding is given back, and so is DATA on streams that are gone", async () => {
  const server = await ServerTest.open(() => new Promise<Response>(() => {}), {
    connectionWindowBytes: WINDOW,
  });
  const client = new Counting(server);
  await client.send(server.client.request(1, {}, false), PADDED);
  const { body } = server.incoming[0]!.request;
  assertEquals(body.take()!.length, 900);
  await client.send(reset(1, CANCEL), server.client.request(3, { "x": " bad" }, false));
  for (let i = 0; i < 20; i++) await client.send(data(3, "x".repeat(10_000)));
  assert(client.window > WINDOW / 2 - 1);
  server.connection.abort();
});

Deno.test("a client's windows come back from responses that are cancelled or cut", async () => {
  const client = await ClientTest.open({ connectionWindowBytes: WINDOW });
  const { server } = client;
  let window = WINDOW;
  for (let id = 1; id < 100; id += 2) {
    const sent = client.begin({}, false);
    await quiet(server.transport);
    const frames = [server.head(id, { ":status": "200" }), data(id, "x".repeat(10_000))];
    window -= 10_000;
    const lines = await server.send(...frames);
    if (id % 4 === 1) sent.response!.body.cancel();
    else lines.push(...await server.send(reset(id, CANCEL)));
    for (const line of [...lines, ...await server.answer()]) {
      const update = /^WINDOW_UPDATE 0 (\d+)$/.exec(line);
      if (update !== null) window += Number(update[1]);
    }
    assert(window >= 0, "the window was not given back");
  }
  client.connection.close();
});

Deno.test("a body is pulled only as it leaves", async () => {
  const body = new PushBody();
  const server = await ServerTest.open(() => ({ status: 200, headers: new FieldList(), body }));
  const { client } = server;
  client.transport.stall();
  for (let i = 0; i < 100; i++) body.give("x".repeat(10_000));
  client.transport.send(windowUpdate(0, 1e9));
  client.transport.send(settings([INITIAL_WINDOW_SIZE, 1e9]));
  client.transport.send(client.request(1));
  await quiet(client.transport);
  // One buffer's worth is all that waits for a client that does not read.
  assertLessOrEqual(body.taken, 15);
  client.transport.resume();
  await quiet(client.transport);
  assertEquals(body.taken, 100);
  await server.hangUp();
});

Deno.test("ReceiveWindow announces what came back by halves, and never more than was received", () => {
  const window = new ReceiveWindow(100);
  assertEquals([window.received(60), window.received(40), window.received(1)], [true, true, false]);
  assertEquals([window.returned(49), window.returned(1), window.returned(51)], [0, 50, 51]);
});

Deno.test("a peer that learns of a smaller window late is not left without credit", async () => {
  const server = new ServerTest(({ request }) => {
    const drop = async (): Promise<Response> => {
      await textOf(request.body);
      return { status: 204, headers: new FieldList(), body: new PushBody().give(null) };
    };
    return drop();
  }, { streamWindowBytes: 1000 });
  const { client } = server;
  // All that every stream may carry before SETTINGS are known, and then what is left of the smaller window: nothing.
  const hello = joined(PREFACE, settings());
  const full = Array(4).fill(data(1, "x".repeat(16_000)));
  const lines = await client.send(hello, client.request(1, {}, false), ...full);
  const granted = lines.map((line) => Number(/^WINDOW_UPDATE 1 (\d+)$/.exec(line)?.[1] ?? 0));
  assertEquals(granted.reduce((a, b) => a + b), 64_000);
  assertEquals(await client.said(SETTINGS_ACK, data(1, "x".repeat(500))), ["WINDOW_UPDATE 1 500"]);
  server.connection.abort();
});
