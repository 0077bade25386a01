// NodeTransport over real sockets, plain and under TLS, held to the contract of Transport.
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { createServer, type Server, type Socket } from "node:net";
import { connect } from "node:net";
import { NodeTransport } from "../../sidecar/net/node_transport.ts";
import type { Transport } from "../../sidecar/net/transport.ts";
import { MeshPair } from "./support/tls.ts";
import { inTime } from "./support/until.ts";

interface Pair extends AsyncDisposable {
  readonly client: Transport;
  readonly server: Transport;
}

/** Sends without end until it is stuck for this long. */
const STUCK_MS = 500;
const MIB = 1024 * 1024;

async function plainPair(): Promise<Pair> {
  const accepted = Promise.withResolvers<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, accepted.resolve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(address !== null && typeof address === "object");
  const socket = connect({ host: "127.0.0.1", port: address.port, allowHalfOpen: true });
  const transports = [socket, await accepted.promise].map((end) =>
    new NodeTransport(end, { peer: { host: "127.0.0.1", port: 1 } })
  );
  const [client, callee] = transports;
  return {
    client: client!,
    server: callee!,
    [Symbol.asyncDispose]: () => {
      for (const transport of transports) transport.close();
      server.close();
      return Promise.resolve();
    },
  };
}

const KINDS: readonly (readonly [string, () => Promise<Pair>])[] = [
  ["plain", plainPair],
  ["TLS", () => MeshPair.open()],
];

async function readAll(transport: Transport, size = 4096): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(size);
  for (;;) {
    const count = await transport.read(buffer);
    if (count === null || count === 0) return chunks;
    chunks.push(buffer.slice(0, count));
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
}

async function readText(transport: Transport, length: number): Promise<string> {
  const buffer = new Uint8Array(length);
  for (let text = "";;) {
    const count = await transport.read(buffer);
    assert(count !== null, "ended early");
    text += new TextDecoder().decode(buffer.subarray(0, count));
    if (text.length >= length) return text;
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Writes until a write does not end; returns what was written and that write. */
async function writeUntilStuck(transport: Transport, chunk = new Uint8Array(65_536)) {
  for (let sent = 0;; sent += chunk.length) {
    const write = transport.write(chunk);
    write.catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stuck = new Promise<"stuck">((resolve) => {
      timer = setTimeout(() => resolve("stuck"), STUCK_MS);
    });
    const outcome = await Promise.race([write, stuck]);
    clearTimeout(timer);
    if (outcome === "stuck") return { sent, write };
    assertLess(sent, 64 * MIB, "nothing holds the sender back");
  }
}

for (const [kind, open] of KINDS) {
  Deno.test(`NodeTransport (${kind}) carries every byte, whatever the sizes of reads`, async () => {
    await using pair = await open();
    const sent = new Uint8Array(3 * MIB);
    for (let i = 0; i < sent.length; i += 65_536) {
      crypto.getRandomValues(sent.subarray(i, i + 65_536));
    }
    const sending = (async () => {
      for (let i = 0; i < sent.length; i += 100_000) {
        await pair.client.write(sent.subarray(i, i + 100_000));
      }
      pair.client.closeWrite();
    })();
    const chunks = await inTime("all of it", readAll(pair.server, 1500));
    await sending;
    const received = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    assertEquals(received.length, sent.length);
    assert(received.every((byte, i) => byte === sent[i]));
  });

  Deno.test(`NodeTransport (${kind}) goes on in one direction when the other has ended`, async () => {
    for (const [first, second] of [["client", "server"], ["server", "client"]] as const) {
      await using pair = await open();
      await pair[first].write(bytesOf("the last"));
      pair[first].closeWrite();
      assertEquals(textOf(await inTime("the end", readAll(pair[second]))), "the last");
      assertEquals(await pair[second].read(new Uint8Array(1)), null, "the end stays");
      for (let i = 0; i < 3; i++) {
        await pair[second].write(bytesOf(`answer ${i}`));
        assertEquals(await inTime("an answer", readText(pair[first], 8)), `answer ${i}`);
      }
      pair[second].closeWrite();
      assertEquals(await inTime("the other end", pair[first].read(new Uint8Array(9))), null);
    }
  });

  Deno.test(`NodeTransport (${kind}) holds the sender back when nobody reads`, async () => {
    await using pair = await open();
    const before = Deno.memoryUsage().rss;
    const { sent, write } = await writeUntilStuck(pair.client);
    assertLess(sent, 16 * MIB, "what the kernel's buffers hold");
    assertLess(Deno.memoryUsage().rss - before, 24 * MIB);
    let received = 0;
    const buffer = new Uint8Array(65_536);
    while (received < sent + 65_536) {
      received += await inTime("what was held back", pair.server.read(buffer)) ?? 0;
    }
    await inTime("the write that was stuck", write);
    assertEquals(received, sent + 65_536);
  });

  Deno.test(`NodeTransport (${kind}) ends a blocked write and a pending read at once when closed`, async () => {
    await using pair = await open();
    const read = assertRejects(() => pair.client.read(new Uint8Array(10)));
    const { write } = await writeUntilStuck(pair.client);
    assert(pair.client.isWriting);
    const started = performance.now();
    pair.client.close();
    await assertRejects(() => write);
    await read;
    assertLess(performance.now() - started, 100);
    assert(!pair.client.isWriting);
    pair.client.close();
    pair.client.closeWrite();
    await assertRejects(() => pair.client.write(new Uint8Array(1)), Error, "closed");
    await assertRejects(() => pair.client.read(new Uint8Array(1)), Error, "closed");
  });

  Deno.test(`NodeTransport (${kind}) refuses two reads and two writes at once`, async () => {
    await using pair = await open();
    const read = pair.client.read(new Uint8Array(10));
    await assertRejects(() => pair.client.read(new Uint8Array(10)), Error, "two reads");
    await pair.server.write(bytesOf("hello"));
    assertEquals(await read, 5);
    const { write } = await writeUntilStuck(pair.client);
    await assertRejects(() => pair.client.write(new Uint8Array(1)), Error, "two writes");
    pair.client.close();
    await assertRejects(() => write);
  });
}
