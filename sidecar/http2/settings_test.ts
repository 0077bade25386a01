import { assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_HTTP2_LIMITS } from "./limits.ts";
import { ConnectionError, reasonName } from "./reason.ts";
import { ourSettings, PeerSettings } from "./settings.ts";
import { settings } from "./test_peer.ts";

function apply(
  peer: PeerSettings,
  isClient: boolean,
  ...pairs: readonly (readonly [number, number])[]
): void {
  const bytes = settings(...pairs);
  peer.apply(bytes, 9, bytes.length, isClient);
}

Deno.test("PeerSettings holds what RFC 9113 6.5.2 says until the peer says otherwise", () => {
  const peer = new PeerSettings();
  assertEquals({ ...peer }, {
    headerTableBytes: 4096,
    concurrentStreams: 100,
    windowBytes: 65535,
    frameBytes: 16384,
    takesExtendedConnect: false,
    isKnown: false,
  });
  apply(peer, true);
  assertEquals([peer.isKnown, peer.concurrentStreams], [true, 2 ** 31 - 1]);
  apply(peer, true, [1, 0], [3, 7], [4, 1], [4, 2], [5, 20_000], [8, 1], [6, 5], [0xff, 9]);
  assertEquals({ ...peer }, {
    headerTableBytes: 0,
    concurrentStreams: 7,
    windowBytes: 2,
    frameBytes: 20_000,
    takesExtendedConnect: true,
    isKnown: true,
  });
  apply(peer, true);
  assertEquals(peer.concurrentStreams, 7);
});

Deno.test("PeerSettings refuses values that nobody may send", () => {
  const cases: readonly [isClient: boolean, id: number, value: number, reason: string][] = [
    [false, 2, 2, "PROTOCOL_ERROR"],
    [true, 2, 1, "PROTOCOL_ERROR"],
    [true, 4, 2 ** 31, "FLOW_CONTROL_ERROR"],
    [true, 5, 16383, "PROTOCOL_ERROR"],
    [true, 5, 2 ** 24, "PROTOCOL_ERROR"],
    [true, 8, 2, "PROTOCOL_ERROR"],
  ];
  for (const [isClient, id, value, reason] of cases) {
    const error = assertThrows(
      () => apply(new PeerSettings(), isClient, [id, value]),
      ConnectionError,
    );
    assertEquals(reasonName(error.reason), reason);
  }
  const peer = new PeerSettings();
  apply(peer, true, [8, 1], [2, 0], [5, 2 ** 24 - 1], [4, 2 ** 31 - 1]);
  assertThrows(() => apply(peer, true, [8, 0]), ConnectionError, "CONNECT_PROTOCOL");
  apply(new PeerSettings(), false, [2, 1]);
});

Deno.test("ourSettings tells a server's limits, and takes no push as a client", () => {
  const limits = {
    ...DEFAULT_HTTP2_LIMITS,
    streamWindowBytes: 5,
    headBytes: 6,
    concurrentStreams: 7,
  };
  assertEquals(ourSettings(limits, false), [[3, 7], [4, 5], [6, 6], [8, 1]]);
  assertEquals(ourSettings(limits, true), [[2, 0], [4, 5], [6, 6]]);
});
