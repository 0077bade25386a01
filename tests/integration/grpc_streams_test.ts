// Streams of gRPC that are larger than any buffer: they arrive whole, and memory stays what it was.
import { assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { GrpcApp, type GrpcHandlers } from "./support/grpc_app.ts";
import { GrpcCaller, textOf } from "./support/grpc_caller.ts";
import { Road } from "./support/grpc_mesh.ts";
import { peaksDuring, residentMb } from "./support/resident.ts";
import { Workspace } from "./support/workspace.ts";

const MESSAGE_BYTES = 1 << 16;
const MESSAGES = 1526; // 100 MB
const WARM_UP_MESSAGES = 150;
const LIMIT_MS = 60_000;
const MAX_GROWTH_MB = 60;

/** Message `index` of every stream: no two alike, and cheap to make. */
function message(index: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_BYTES, index % 251);
  bytes.writeUInt32LE(index);
  return bytes;
}

function checksum(count: number): string {
  const hash = createHash("sha256");
  for (let i = 0; i < count; i++) hash.update(message(i));
  return hash.digest("hex");
}

async function send(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
  for (let i = 0; i < Number(call.request); i++) {
    if (!call.write(message(i))) await once(call, "drain");
  }
  call.end();
}

const HANDLERS: GrpcHandlers = {
  Download: send,
  Upload: async (call, callback) => {
    const hash = createHash("sha256");
    for await (const bytes of call) hash.update(bytes);
    callback(null, Buffer.from(hash.digest("hex")));
  },
};

async function upload(caller: GrpcCaller, count: number): Promise<string> {
  const { call, end } = caller.upload({ deadline: Date.now() + LIMIT_MS });
  for (let i = 0; i < count; i++) {
    if (!call.write(message(i))) await once(call, "drain");
  }
  call.end();
  return textOf(await end);
}

async function download(caller: GrpcCaller, count: number): Promise<string> {
  const hash = createHash("sha256");
  const stream = caller.download(String(count), { deadline: Date.now() + LIMIT_MS });
  for (let bytes = await stream.next(); bytes !== undefined; bytes = await stream.next()) {
    hash.update(bytes);
  }
  assertEquals((await stream.end).code, 0);
  return hash.digest("hex");
}

Deno.test("large gRPC streams through two sidecars", async (t) => {
  await using workspace = new Workspace();
  using server = await GrpcApp.listen(HANDLERS);
  await using road = await Road.start(workspace, server.port, { timeout: "60s" });
  using caller = new GrpcCaller(road.port);
  const sidecars = [road.caller.process, road.callee.process];

  for (const [name, transfer] of [["up", upload], ["down", download]] as const) {
    await t.step(`100 MB ${name} arrive whole, and leave no trace in memory`, async () => {
      assertEquals(await transfer(caller, WARM_UP_MESSAGES), checksum(WARM_UP_MESSAGES));
      const before = await residentMb(sidecars);
      const transferring = transfer(caller, MESSAGES);
      const peaks = await peaksDuring(sidecars, transferring);
      assertEquals(await transferring, checksum(MESSAGES));
      peaks.forEach((peak, index) => assertLess(peak - before[index]!, MAX_GROWTH_MB));
    });
  }
});
