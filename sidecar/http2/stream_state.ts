// The life of a stream (RFC 9113 5.1), and what a frame from the peer means in each part of it.

/*
 *            HEADERS, either side              END_STREAM sent
 *   idle ------------------------> open -----------------------------> half-closed-local
 *                                    |                                        |
 *                                    | END_STREAM received                    | END_STREAM received
 *                                    v            END_STREAM sent             v
 *                          half-closed-remote ---------------------------> closed
 *   RST_STREAM, sent or received, leads from everywhere to closed. Pushed streams (reserved) do not exist here.
 */
export type StreamState = "open" | "half-closed-local" | "half-closed-remote" | "closed";

/** We sent our last frame but RST_STREAM, WINDOW_UPDATE and PRIORITY. */
export function afterSentEnd(state: StreamState): StreamState {
  return state === "open" ? "half-closed-local" : "closed";
}

/** The peer sent its last. */
export function afterReceivedEnd(state: StreamState): StreamState {
  return state === "open" ? "half-closed-remote" : "closed";
}

/** The peer may send DATA and HEADERS. */
export function canReceive(state: StreamState): boolean {
  return state === "open" || state === "half-closed-local";
}

/** How a stream came to its end. */
export type Ending = "ended" | "reset-by-us" | "reset-by-peer";

/**
 * What is due for a frame on a closed stream: nothing, as the peer could not know yet; RST_STREAM with STREAM_CLOSED; or
 * the end of the connection, since HEADERS behind END_STREAM cannot be put anywhere.
 */
export type LateVerdict = "ignore" | "stream-error" | "connection-error";

/** The frames that a stream's end matters for; PRIORITY may come whenever it likes. */
export type LateFrame = "DATA" | "HEADERS" | "RST_STREAM" | "WINDOW_UPDATE";

/** `ending` is undefined when it was too long ago to know. */
export function judgeLate(frame: LateFrame, ending: Ending | undefined): LateVerdict {
  // It crossed our RST_STREAM or our END_STREAM on its way, or ends what is over.
  if (ending === "reset-by-us" || frame === "RST_STREAM" || frame === "WINDOW_UPDATE") {
    return "ignore";
  }
  if (frame === "DATA" || ending === "reset-by-peer") return "stream-error";
  return "connection-error";
}
