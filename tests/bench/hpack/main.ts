// `deno run -A tests/bench/hpack/main.ts [OTHER]`: what decoding a block and encoding its fields again cost, as a proxy does
// it once an exchange, in us. OTHER is a module with Dec, Enc, Out and HF in the manner of an earlier prototype: measured
// in turn with ours, so that the ratio holds on a machine that others use too.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { resolve } from "node:path";
import { Field } from "../../../sidecar/http/field.ts";
import { HpackDecoder } from "../../../sidecar/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../sidecar/http2/hpack/encoder.ts";
import { ByteWriter } from "../../../sidecar/lib/byte_writer.ts";

type Head = readonly (readonly [name: string, value: string])[];
type Pass = (block: Uint8Array) => void;

/** One batch is a millisecond or so: the least of many is a run that nobody disturbed. */
const BATCH = 1000;
const BATCHES = 400;
/** By the third block everything that repeats is in the table. */
const SETTLED = 3;

const GET: Head = [
  [":method", "GET"],
  [":path", "/api/users/123"],
  [":scheme", "http"],
  [":authority", "user-service"],
  ["user-agent", "h2load nghttp2/1.52.0"],
  ["accept", "*/*"],
  ["accept-encoding", "gzip, deflate"],
  ["x-user-id", "alice"],
  ["x-forwarded-for", "10.0.0.1"],
  ["x-forwarded-proto", "http"],
];

const GRPC: Head = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/user.UserService/GetUser"],
  [":authority", "user-service"],
  ["content-type", "application/grpc"],
  ["user-agent", "grpc-node-js/1.14.0"],
  ["te", "trailers"],
  ["grpc-accept-encoding", "identity,deflate,gzip"],
  ["grpc-timeout", "2999m"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
];

function varied(head: Head, i: number): Head {
  return head.map(([name, value]) => {
    if (name === "grpc-timeout") return [name, `${2000 + i % 1000}m`];
    if (name === "traceparent") return [name, value.replace("00f067", String(100_000 + i))];
    return [name, value];
  });
}

function blocksOf(heads: readonly Head[]): Uint8Array[] {
  const encoder = new HpackEncoder();
  return heads.map((head) => {
    const out = new ByteWriter();
    encoder.begin(out);
    for (const [name, value] of head) encoder.encode(out, new Field(name, value));
    return out.view().slice();
  });
}

/** Decodes, lets `change` do what filters do, encodes. */
function ours(change: (fields: Field[]) => void): Pass {
  const limits = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 100 };
  const [decoder, encoder, out] = [new HpackDecoder(limits), new HpackEncoder(), new ByteWriter()];
  return (block) => {
    const fields = decoder.decode(block, 0, block.length)!;
    change(fields);
    out.reset();
    encoder.begin(out);
    for (let i = 0; i < fields.length; i++) encoder.encode(out, fields[i]!);
  };
}

interface Other {
  Dec: new () => { decode(bytes: Uint8Array, start: number, end: number): unknown[] };
  Enc: new () => { encode(fields: unknown[], out: unknown): void };
  Out: new () => { n: number };
}

function others(module: Other): Pass {
  const [decoder, encoder, out] = [new module.Dec(), new module.Enc(), new module.Out()];
  return (block) => {
    out.n = 0;
    encoder.encode(decoder.decode(block, 0, block.length), out);
  };
}

function measure(passes: ReadonlyMap<string, Pass>, blocks: readonly Uint8Array[]): string {
  const settled = blocks.slice(SETTLED);
  const least = new Map<string, number>();
  for (const pass of passes.values()) blocks.forEach(pass);
  for (let batch = 0; batch < BATCHES; batch++) {
    for (const [name, pass] of passes) {
      const start = performance.now();
      for (let i = 0; i < BATCH; i++) pass(settled[i % settled.length]!);
      const us = (performance.now() - start) * 1000 / BATCH;
      least.set(name, Math.min(least.get(name) ?? Infinity, us));
    }
  }
  return [...least].map(([name, us]) => `${name} ${us.toFixed(2)}`).join(", ");
}

const path = Deno.args[0];
const other = path === undefined ? undefined : await import(resolve(path)) as Other;

const stories = new Map<string, Head[]>([
  ["GET, 10 fields", new Array<Head>(10).fill(GET)],
  ["gRPC, 10 fields", new Array<Head>(10).fill(GRPC)],
  ["gRPC, timeout and trace differ", Array.from({ length: BATCH }, (_, i) => varied(GRPC, i))],
]);

for (const [name, heads] of stories) {
  const blocks = blocksOf(heads);
  const passes = new Map<string, Pass>([
    ["as it came", ours(() => {})],
    ["one field less, one more", ours((fields) => fields[7] = new Field("via", "2 sidecar"))],
  ]);
  if (other !== undefined) passes.set("the other", others(other));
  console.log(`${name} (${blocks.at(-1)!.length} bytes): ${measure(passes, blocks)} us`);
}
