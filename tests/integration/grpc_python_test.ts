// Debian's python3-grpcio at either end of the usual road, and back-pressure, which it keeps where grpc-js on Deno does not.
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { status } from "@grpc/grpc-js";
import { isInstalled } from "../../deploy/servers.ts";
import { GrpcCaller, statusOf, textOf } from "./support/grpc_caller.ts";
import { Road } from "./support/grpc_mesh.ts";
import { PythonServer, runPythonClient } from "./support/python_grpc.ts";
import { inTime } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

const ignore = !isInstalled("python3-grpcio");
const MESSAGE_BYTES = 1 << 16;
const MESSAGES = 1600;
/** The windows of both hops, and what four ends hold in their own buffers. */
const MAX_HELD_BYTES = 12 << 20;

Deno.test({ name: "gRPC by Python through two sidecars", ignore }, async (t) => {
  await using workspace = new Workspace();
  await using server = await PythonServer.start();
  await using road = await Road.start(workspace, server.port);

  await t.step(
    "its client makes every kind of call, and writes no faster than its server reads",
    async () => {
      const { remaining, held, ...results } = await inTime(
        "the client",
        runPythonClient(road.port),
      );
      assertEquals(results, {
        unary: "hello",
        empty: 0,
        large: 3 << 20,
        download: Array.from({ length: 500 }, (_, index) => index),
        upload: String(320 * MESSAGE_BYTES),
        dialogue: [...Array.from({ length: 20 }, (_, turn) => `re: ${turn}`), "you ended"],
        metadata: [true, "one,two", [true]],
        refusal: ["FAILED_PRECONDITION", "Größe 100 % 🦕"],
        broken: [true, "DATA_LOSS", "lost the rest"],
        cancelled: "True",
      });
      // Its client rounds up, by a tenth at most.
      assertLess(Number(remaining), 11);
      assertGreater(Number(remaining), 5);
      const [before = Infinity, arrived] = held as number[];
      assertLess(before, MAX_HELD_BYTES, "written to a server that did not read");
      assertEquals(arrived, MESSAGES * MESSAGE_BYTES);
    },
  );

  using caller = new GrpcCaller(road.port);
  using other = new GrpcCaller(road.port);

  await t.step("its server answers grpc-js", async () => {
    assertEquals(textOf(await caller.unary("hello")), "hello");
    const { messages } = await caller.download("100 8").rest();
    assertEquals(messages.map((message) => message.readUInt32LE()).at(-1), 99);
    const refused = await caller.unary("refuse");
    assertEquals(statusOf(refused), [status.FAILED_PRECONDITION, "Größe 100 % 🦕"]);
  });

  await t.step(
    "a caller that stops reading makes the server stop writing, until it reads on",
    async () => {
      const stalled = caller.download(`${MESSAGES} ${MESSAGE_BYTES}`);
      assertEquals((await stalled.next())?.readUInt32LE(), 0);
      // As much as would have emptied the stalled stream goes by it, each way, in the meantime.
      for (let round = 0; round < 30; round++) {
        const echo = await other.unary(Buffer.alloc(3 << 20));
        assertEquals(echo.code, status.OK);
      }
      assertLess(Number(textOf(await other.unary("accepted"))), MAX_HELD_BYTES);
      for (let index = 1; index < MESSAGES; index++) {
        assertEquals((await inTime("the next", stalled.next()))?.readUInt32LE(), index);
      }
      assertEquals((await stalled.rest()).code, status.OK);
      const all = Number(textOf(await other.unary("accepted")));
      assertEquals(all, MESSAGES * MESSAGE_BYTES);
    },
  );
});
