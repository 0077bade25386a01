// Closing a connection on which the peer is still sending (RFC 9112 9.6): a close with unread bytes becomes a reset,
// which may take away the answer that was just sent.
import type { Transport } from "../net/transport.ts";
import type { Inbox } from "./inbox.ts";

/** What is read and thrown away before the connection is cut all the same. */
const MAX_BYTES = 262144;
/** Reads that bring nothing new end by the connection's own timeouts; this bounds a peer that drips. */
const MAX_READS = 256;

/** Says that no more will come, then reads until the peer is done or has had its share. The caller closes. */
export async function linger(transport: Transport, inbox: Inbox): Promise<void> {
  transport.closeWrite();
  inbox.release();
  let total = inbox.available;
  inbox.start = inbox.end;
  for (let reads = 0; reads < MAX_READS && total < MAX_BYTES && !inbox.isEnded; reads++) {
    await inbox.fill(16384);
    total += inbox.available;
    inbox.start = inbox.end;
  }
}
