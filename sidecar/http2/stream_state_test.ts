import { assertEquals } from "@std/assert";
import {
  afterReceivedEnd,
  afterSentEnd,
  canReceive,
  type Ending,
  judgeLate,
  type LateFrame,
  type StreamState,
} from "./stream_state.ts";

Deno.test("a stream goes through the states of RFC 9113 5.1", () => {
  const table: readonly [StreamState, StreamState, StreamState, boolean][] = [
    // state, after our END_STREAM, after the peer's, may the peer send
    ["open", "half-closed-local", "half-closed-remote", true],
    ["half-closed-local", "closed", "closed", true],
    ["half-closed-remote", "closed", "closed", false],
    ["closed", "closed", "closed", false],
  ];
  for (const [state, sent, received, receives] of table) {
    assertEquals([afterSentEnd(state), afterReceivedEnd(state)], [sent, received], state);
    assertEquals(canReceive(state), receives, state);
  }
});

Deno.test("a frame on a closed stream is judged by how the stream ended", () => {
  const frames: LateFrame[] = ["DATA", "HEADERS", "RST_STREAM", "WINDOW_UPDATE"];
  const table = new Map<Ending | undefined, string[]>([
    ["reset-by-us", ["ignore", "ignore", "ignore", "ignore"]],
    ["reset-by-peer", ["stream-error", "stream-error", "ignore", "ignore"]],
    ["ended", ["stream-error", "connection-error", "ignore", "ignore"]],
    [undefined, ["stream-error", "connection-error", "ignore", "ignore"]],
  ]);
  for (const [ending, verdicts] of table) {
    assertEquals(frames.map((frame) => judgeLate(frame, ending)), verdicts, ending);
  }
});
