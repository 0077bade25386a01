// A mesh port over time: who comes in and is known, what plain connections meet, rotation under load, and what it survives.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { systemClock } from "../../sidecar/lib/clock.ts";
import type { MeshIdentity } from "../../sidecar/net/mesh_identity.ts";
import { dialMesh, listenMesh } from "../../sidecar/net/mesh_tls.ts";
import type { NodeTransport } from "../../sidecar/net/node_transport.ts";
import { ListenError } from "../../sidecar/net/tcp.ts";
import { TlsIdentity } from "../../sidecar/net/tls_identity.ts";
import { TestAuthority } from "../support/certificates.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { run } from "./support/programs.ts";
import { idOf, LOOPBACK, materialOf, meshIdentity, MeshPair, MeshPort } from "./support/tls.ts";
import { Stranger } from "./support/tls_client.ts";
import { inTime, until } from "./support/until.ts";
import { Wire } from "./support/wire.ts";

const forever = () => new AbortController().signal;

/** Closes with its scope. */
async function dial(port: number, identity: MeshIdentity): Promise<NodeTransport & Disposable> {
  const transport = await dialMesh({ host: "127.0.0.1", port }, forever(), {
    identity,
    expectedId: idOf("callee"),
    alpn: ["h2"],
  });
  return Object.assign(transport, { [Symbol.dispose]: () => transport.close() });
}

async function echo(transport: NodeTransport): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await transport.read(buffer);
    if (count === null) return transport.close();
    await transport.write(buffer.subarray(0, count));
  }
}

async function exchange(transport: NodeTransport, text: string): Promise<void> {
  await transport.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(text.length);
  let answer = "";
  while (answer.length < text.length) {
    const count = await inTime("an echo", transport.read(buffer));
    assert(count !== null, "ended early");
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
  assertEquals(answer, text);
}

Deno.test("both ends of a mesh connection know who the other is and what it speaks", async () => {
  await using pair = await MeshPair.open();
  assertEquals([pair.client.peer.identity, pair.client.protocol], [idOf("callee"), "h2"]);
  assertEquals([pair.server.peer.identity, pair.server.protocol], [idOf("caller"), "h2"]);
  assertEquals(pair.server.peer.host, "127.0.0.1");
});

Deno.test("a mesh connection with an intermediate between leaf and root is verified", async () => {
  const root = await TestAuthority.root("root");
  const middle = await (await root.intermediate("one")).intermediate("two");
  const trust = [root];
  const callee = meshIdentity(await materialOf(middle, "callee", { trust }));
  await using port = await MeshPort.open(callee);
  using client = await dial(port.port, meshIdentity(await materialOf(middle, "caller", { trust })));
  assertEquals((await port.connection()).peer.identity, idOf("caller"));
  assertEquals(client.peer.identity, idOf("callee"));
});

Deno.test("a client below TLS 1.3 and one that speaks neither h2 nor http/1.1 are refused", async () => {
  const root = await TestAuthority.root("root");
  await using port = await MeshPort.open(meshIdentity(await materialOf(root, "callee")));
  const certificate = await materialOf(root, "caller");
  await assertRejects(() =>
    Stranger.dial(port.port, { certificate, tls: { maxVersion: "TLSv1.2" } })
  );
  assertEquals((await port.failure()).reason, "handshake-failed");
  await assertRejects(() =>
    Stranger.dial(port.port, { certificate, tls: { ALPNProtocols: ["imap"] } })
  );
  assertStringIncludes((await port.failure(1)).detail, "protocol");
});

Deno.test("a plain connection is let in by a permissive port and handed over as refused by a strict one", async () => {
  const root = await TestAuthority.root("root");
  const identity = meshIdentity(await materialOf(root, "callee"));
  for (const mode of ["permissive", "strict"] as const) {
    await using port = await MeshPort.open(identity, { mode });
    using wire = await Wire.dial(port.port);
    await wire.write("GET / HTTP/1.1\r\n");
    const [kept, other] = mode === "strict"
      ? [port.refused, port.connections]
      : [port.connections, port.refused];
    const transport = await until("the connection", () => kept[0]);
    const buffer = new Uint8Array(100);
    const count = await transport.read(buffer) ?? 0;
    assertEquals(new TextDecoder().decode(buffer.subarray(0, count)), "GET / HTTP/1.1\r\n");
    await transport.write(new TextEncoder().encode("answer"));
    assertEquals(new TextDecoder().decode(await wire.readBytes(6)), "answer");
    assertEquals([transport.peer.identity, other.length, port.failures.length], [undefined, 0, 0]);
  }
});

Deno.test("a client that stops within its handshake is cut off at the deadline, and named", async () => {
  const root = await TestAuthority.root("root");
  const clock = new FakeClock(Date.now());
  const identity = meshIdentity(await materialOf(root, "callee"), clock);
  await using port = await MeshPort.open(identity, { clock });
  for (const bytes of [[], [0x16], [0x16, 3, 1, 2, 0]]) {
    const count = port.failures.length;
    using client = await Deno.connect({ hostname: "127.0.0.1", port: port.port });
    if (bytes.length > 0) await client.write(new Uint8Array(bytes));
    const failure = await until("the deadline", async () => {
      await clock.advance(1_000);
      return port.failures[count];
    });
    assertEquals(failure.reason, "handshake-timeout");
    assertEquals(await inTime("the cut", client.read(new Uint8Array(1)).catch(() => null)), null);
  }
});

Deno.test("a handshake in pieces, one byte at a time, succeeds; garbage is named", async () => {
  const root = await TestAuthority.root("root");
  await using port = await MeshPort.open(meshIdentity(await materialOf(root, "callee")));
  const relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const relayed = (async () => {
    using front = await relay.accept();
    using back = await Deno.connect({ hostname: "127.0.0.1", port: port.port });
    back.setNoDelay(true);
    const answers = back.readable.pipeTo(front.writable).catch(() => {});
    const byte = new Uint8Array(1);
    while (await front.read(byte).catch(() => null) !== null) await back.write(byte);
    await back.closeWrite().catch(() => {});
    await answers;
  })();
  {
    using client = await dial(
      (relay.addr as Deno.NetAddr).port,
      meshIdentity(await materialOf(root, "caller")),
    );
    await client.write(new TextEncoder().encode("x"));
    assertEquals((await port.connection()).peer.identity, idOf("caller"));
  }
  (await port.connection()).close();
  await relayed.catch(() => {});
  relay.close();

  using wire = await Wire.dial(port.port);
  await wire.write("\x16\x03\x01\x00\x04garbage");
  assertEquals((await port.failure()).reason, "handshake-failed");
});

Deno.test("ten rotations of the leaf at both ends, and a roll of the root, lose no exchange", async () => {
  const [oldRoot, newRoot] = [await TestAuthority.root("root"), await TestAuthority.root("root")];
  let aheadMs = 0;
  const clock = { ...systemClock, epoch: () => Date.now() + aheadMs };
  const callee = meshIdentity(await materialOf(oldRoot, "callee"), clock);
  const caller = meshIdentity(await materialOf(oldRoot, "caller"));
  let retired = 0;
  await using port = await MeshPort.open(callee, {
    onConnection: (transport) => {
      transport.onRetired(() => retired++);
      void echo(transport).catch(() => transport.close());
    },
  });
  let isDone = false;
  let count = 0;
  // One connection from before the first rotation to the last, beside new ones all the time.
  using old = await dial(port.port, caller);
  const load = (async () => {
    while (!isDone) {
      using fresh = await dial(port.port, caller);
      await exchange(fresh, `fresh ${count}`);
      await exchange(old, `old ${count++}`);
    }
  })();
  const both = { trust: [oldRoot, newRoot] };
  const more = async () => {
    const before = count;
    await until("exchanges", () => count >= before + 3);
  };
  for (let i = 0; i < 10; i++) {
    callee.update(new TlsIdentity(await materialOf(oldRoot, "callee")));
    caller.update(new TlsIdentity(await materialOf(oldRoot, "caller")));
    await more();
  }
  for (const [identity, name] of [[callee, "callee"], [caller, "caller"]] as const) {
    identity.update(new TlsIdentity(await materialOf(oldRoot, name, both)));
  }
  await more();
  for (const [identity, name] of [[callee, "callee"], [caller, "caller"]] as const) {
    identity.update(new TlsIdentity(await materialOf(newRoot, name, both)));
  }
  await more();
  isDone = true;
  await load;
  assertEquals(port.failures, []);

  // Nothing new begins where the only root is gone, and soon it is closed; who has a new leaf goes on.
  using fresh = await dial(port.port, caller);
  await exchange(fresh, "hello");
  const held = callee.openConnections;
  assertEquals(retired, 0);
  const left = callee.update(new TlsIdentity(await materialOf(newRoot, "callee")));
  assert(left >= 1 && left < held, `${left} of ${held} left`);
  assertEquals(retired, left);
  callee.sweep();
  await exchange(old, "still under way");
  aheadMs = 11_000;
  callee.sweep();
  await inTime("the end of the old one", old.read(new Uint8Array(1)).catch(() => null));
  await exchange(fresh, "still here");

  // A certificate that has expired meanwhile ends what is new, and nothing that is under way.
  aheadMs = 400 * 24 * 3_600_000;
  callee.sweep();
  assertEquals(retired, left + callee.openConnections);
  await exchange(fresh, "under way still");
});

Deno.test("a mesh port outlives clients that reset before they are accepted, and runs on after them", async () => {
  const root = await TestAuthority.root("root");
  await using port = await MeshPort.open(meshIdentity(await materialOf(root, "callee")));
  for (let i = 0; i < 50; i++) {
    await new Promise<void>((resolve) => {
      const client = connect({ host: "127.0.0.1", port: port.port }, () => {
        client.resetAndDestroy();
        resolve();
      });
    });
  }
  using client = await dial(port.port, meshIdentity(await materialOf(root, "caller")));
  assertEquals(client.peer.identity, idOf("callee"));
  assertEquals(port.failures, []);
});

Deno.test("a reset by the peer fails a pending read, under TLS too", async () => {
  const root = await TestAuthority.root("root");
  await using port = await MeshPort.open(meshIdentity(await materialOf(root, "callee")));
  using stranger = await Stranger.dial(port.port, {
    certificate: await materialOf(root, "caller"),
  });
  const transport = await port.connection();
  const read = assertRejects(() => transport.read(new Uint8Array(1)), Error, "reset");
  stranger.underlying.resetAndDestroy();
  await inTime("the reset", read);
});

Deno.test("a dial that is aborted, or meets nobody, leaves nothing behind", async () => {
  const root = await TestAuthority.root("root");
  const identity = meshIdentity(await materialOf(root, "caller"));
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { host: "127.0.0.1", port: (silent.addr as Deno.NetAddr).port };
  const controller = new AbortController();
  const options = { identity, expectedId: idOf("callee"), alpn: ["h2"] } as const;
  const dialed = dialMesh(address, controller.signal, options);
  const accepted = await silent.accept();
  controller.abort(new Error("out of patience"));
  await assertRejects(() => dialed, Error, "out of patience");
  await assertRejects(() => dialMesh(address, controller.signal, options), Error, "patience");
  accepted.close();
  silent.close();
  await assertRejects(() => dialMesh(address, forever(), options), Error, "ECONNREFUSED");
});

Deno.test("a port that is taken is said to be so", async () => {
  const root = await TestAuthority.root("root");
  const identity = meshIdentity(await materialOf(root, "callee"));
  await using port = await MeshPort.open(identity);
  const ignore = () => {};
  await assertRejects(
    () =>
      listenMesh({ ...LOOPBACK, port: port.port }, {
        identity,
        clock: new FakeClock(),
        mode: "strict",
        onConnection: ignore,
        onRefused: ignore,
        onFailure: ignore,
        onError: ignore,
      }),
    ListenError,
    "already in use",
  );
});

Deno.test("openssl sees the chain of the mesh port, and is let in with a certificate", async () => {
  const root = await TestAuthority.root("root");
  await using port = await MeshPort.open(meshIdentity(await materialOf(root, "callee")));
  const { text } = await run(
    "sh",
    "-c",
    `openssl s_client -connect 127.0.0.1:${port.port} -alpn h2 </dev/null 2>&1`,
  );
  assertStringIncludes(text, "TLSv1.3");
  assertStringIncludes(text, "ALPN protocol: h2");
  assertEquals((await port.failure()).reason, "no-certificate");
});
