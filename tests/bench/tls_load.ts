// What TLS ports are asked: handshakes as fast as they come, by openssl s_time, and one request on a connection that stays.
import { connect } from "node:tls";
import { LOAD_CORE } from "./children.ts";
import type { LoadResult } from "./load.ts";
import { identityOf } from "./pki.ts";
import type { Peer, Place } from "./place.ts";
import type { Workload } from "./workloads.ts";

/**
 * Full handshakes of TLS 1.3 with a client certificate, by `connections` processes of one connection each, on the core of the
 * load: where that is the limit the rate says nothing, and the CPU for each handshake still does.
 */
export async function runHandshakes(
  place: Place,
  peer: Peer,
  { connections }: Workload,
  seconds: number,
): Promise<LoadResult> {
  const { certificate, key, trustBundle } = identityOf(place, "order-service");
  const runs = Array.from({ length: connections }, async () => {
    const child = place.children.start({
      name: "openssl",
      program: place.programs.openssl,
      args: [
        ...["s_time", "-connect", `127.0.0.1:${peer.port}`, "-new", "-tls1_3"],
        ...["-time", String(seconds), "-cert", certificate, "-key", key, "-CAfile", trustBundle],
      ],
      core: LOAD_CORE,
      cwd: place.directory,
    });
    const { code, errors } = await child.ended;
    return countOf(await child.output, errors, code);
  });
  const requests = (await Promise.all(runs)).reduce((sum, count) => sum + count, 0);
  if (requests === 0) throw new Error(`${peer.name}: no handshake`);
  return {
    requests,
    requestsPerSecond: requests / seconds,
    p50Ms: undefined,
    p99Ms: undefined,
  };
}

/** "123 connections in 4 real seconds, 0 bytes read per connection". */
function countOf(output: string, errors: string, code: number): number {
  const match = /^(\d+) connections in \d+ real seconds/m.exec(output);
  if (match === null) throw new Error(`openssl s_time failed (${code}): ${errors || output}`);
  return Number(match[1]);
}

/** One GET by HTTP/1.1 on a connection that stays open until it is disposed. */
export async function askSecurely(
  place: Place,
  peer: Peer,
  { path }: Workload,
): Promise<Disposable> {
  const { certificate, key } = identityOf(place, "order-service");
  const socket = connect({
    host: "127.0.0.1",
    port: peer.port,
    cert: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: false, // who asks is the benchmark, and what it trusts is nobody's question
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`${peer.name} closed: ${text}`)));
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (/\r\n\r\n./s.test(text)) resolve();
  });
  socket.on("secureConnect", () => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: user-service\r\n\r\n`);
  });
  await promise;
  if (!text.startsWith("HTTP/1.1 200 ")) {
    socket.destroy();
    throw new Error(`${peer.name} answered ${text.slice(0, 200)}`);
  }
  return { [Symbol.dispose]: () => void socket.destroy() };
}
