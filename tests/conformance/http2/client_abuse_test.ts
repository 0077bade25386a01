// Servers that misbehave toward our codec as their client: each is cut with a word, its exchange fails, and the next
// connection serves.
import { assert, assertEquals } from "@std/assert";
import { block, indexed, literal, NEWEST, response } from "../../support/h2/block.ts";
import { CodecUpstream } from "../../support/h2/codec_upstream.ts";
import { many } from "../../support/h2/flood.ts";
import {
  bytes,
  continuation,
  data,
  FLAG,
  frame,
  headers,
  OPEN,
  ping,
  priority,
  type Reason,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/h2/frames.ts";
import type { H2Peer } from "../../support/h2/peer.ts";

const PER_ROUND = 100;
/** More than any attack is granted. */
const MAX_ROUNDS = 2000;
const CALM: readonly Reason[] = ["ENHANCE_YOUR_CALM"];

/** What comes first, and what comes again and again until the client has enough; it may also give up the stream alone. */
interface UpstreamFlood {
  readonly name: string;
  readonly first?: (stream: number) => Uint8Array;
  readonly repeated: (stream: number) => Uint8Array;
  readonly ends: readonly Reason[];
}

const HEAD = response("200");

const FLOODS: readonly UpstreamFlood[] = [
  { name: "SETTINGS", repeated: () => settings(), ends: CALM },
  { name: "PING", repeated: () => ping(), ends: CALM },
  { name: "answers to PING", repeated: () => ping("12345678", FLAG.ack), ends: CALM },
  { name: "PRIORITY", repeated: (stream) => priority(stream), ends: CALM },
  { name: "frames that nobody knows", repeated: () => frame(TYPE.unknown, 0, 0), ends: CALM },
  { name: "WINDOW_UPDATE of the connection", repeated: () => windowUpdate(0, 1), ends: CALM },
  {
    name: "WINDOW_UPDATE of the stream",
    repeated: (stream) => windowUpdate(stream, 1),
    ends: CALM,
  },
  {
    name: "DATA without a byte",
    first: (stream) => headers(stream, HEAD, OPEN),
    repeated: (stream) => data(stream, ""),
    ends: CALM,
  },
  {
    name: "CONTINUATION without a byte",
    first: (stream) => headers(stream, HEAD, 0),
    repeated: (stream) => continuation(stream, "", 0),
    ends: [...CALM, "PROTOCOL_ERROR"],
  },
  {
    name: "CONTINUATION of fields",
    first: (stream) => headers(stream, HEAD, 0),
    repeated: (stream) => continuation(stream, literal("x", "y".repeat(1000)), 0),
    ends: [...CALM, "PROTOCOL_ERROR"],
  },
  {
    name: "informational responses",
    repeated: (stream) => headers(stream, response("103"), OPEN),
    ends: [...CALM, "PROTOCOL_ERROR"],
  },
];

/** Sends until the client ends the connection or the stream; what it ended it with. */
async function exhaust(peer: H2Peer, stream: number, flood: UpstreamFlood): Promise<string> {
  const { view } = peer;
  const round = many(PER_ROUND, 0, () => flood.repeated(stream));
  const isCut = () => view.goaway !== undefined || view.stream(stream).reset !== undefined;
  const reading = peer.reaches(isCut);
  await peer.send(flood.first?.(stream) ?? bytes());
  for (let number = 0; number < MAX_ROUNDS && !isCut() && await peer.send(round); number++) {
    // Writes that the kernel takes at once would leave reads no turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (!isCut() && peer.ending === "open") peer.close();
  await reading;
  return view.goaway?.reason ?? view.stream(stream).reset ?? "nothing";
}

Deno.test("HTTP/2 client: a server's floods end its connection, and the next one serves", async (t) => {
  await using subject = new CodecUpstream();
  for (const [index, flood] of FLOODS.entries()) {
    await t.step(flood.name, async () => {
      const path = `/flood/${index}`;
      const cut = Promise.withResolvers<string>();
      subject.server.once(path, async (peer, { stream }) => {
        cut.resolve(await exhaust(peer, stream, flood));
      });
      const outcome = await subject.ask("GET", path);
      const reason = await cut.promise;
      assert(flood.ends.some((end) => end === reason), reason);
      assertEquals(outcome.kind, "upstream-protocol");
      assertEquals((await subject.ask("GET", "/clean")).body, "GET /clean");
    });
  }
});

Deno.test("HTTP/2 client: a response that is small on the wire and large decoded is refused", async (t) => {
  const bombs: readonly (readonly [string, Uint8Array])[] = [
    [
      "one field of the table 16,000 times",
      bytes(HEAD, new Uint8Array(16_000).fill(indexed(NEWEST)[0]!)),
    ],
    [
      "2,000 fields",
      bytes(HEAD, block(...Array.from({ length: 2000 }, () => ["x", "y"] as const))),
    ],
  ];
  await using subject = new CodecUpstream();
  for (const [index, [name, bomb]] of bombs.entries()) {
    await t.step(name, async () => {
      subject.server.once(`/fill/${index}`, async (peer, { stream }) => {
        const field = literal("x", "y".repeat(3900), "incremental");
        await peer.send(headers(stream, bytes(HEAD, field)));
      });
      assertEquals((await subject.ask("GET", `/fill/${index}`)).status, 200);
      subject.server.once(`/bomb/${index}`, async (peer, { stream }) => {
        await peer.send(headers(stream, bomb));
      });
      assertEquals((await subject.ask("GET", `/bomb/${index}`)).kind, "upstream-protocol");
      assertEquals((await subject.ask("GET", "/clean")).body, "GET /clean");
    });
  }
});
