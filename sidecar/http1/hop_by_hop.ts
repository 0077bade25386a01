// Takes the fields of this one hop out of a head (RFC 9110 7.6.1), so that what lies behind never sees them.
import { isHopByHop, knownId } from "../http/field_names.ts";
import { listItems } from "../http/syntax.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import type { RawFields } from "./raw_fields.ts";

const CONNECTION = knownId("connection");
const TE = knownId("te");
const UPGRADE = knownId("upgrade");
const KEEP_ALIVE = latin1Bytes("keep-alive");

/** What the hop-by-hop fields said. */
export interface HopByHop {
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The protocol asked for, where Connection names `upgrade` too. */
  readonly upgrade: string | undefined;
  readonly acceptsTrailers: boolean;
}

const PLAIN: HopByHop = {
  close: false,
  keepAlive: false,
  upgrade: undefined,
  acceptsTrailers: false,
};

/**
 * A sender must not nominate these: framing, routing and what says who is calling would be lost on the way, as it was
 * in CVE-2022-31813.
 */
const KEPT: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "authorization",
  "cookie",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-request-id",
  "x-user-id",
]);

/** Drops every hop-by-hop field and those that Connection names. */
export function stripHopByHop(fields: RawFields): HopByHop {
  let found = false;
  for (let i = 0; i < fields.count; i++) {
    if (isHopByHop(fields.idAt(i))) {
      found = true;
      break;
    }
  }
  return found ? strip(fields) : PLAIN;
}

function strip(fields: RawFields): HopByHop {
  let close = false, keepAlive = false, acceptsTrailers = false, namesUpgrade = false;
  let upgrade: string | undefined;
  const nominated: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    const id = fields.idAt(i);
    if (!isHopByHop(id)) continue;
    fields.drop(i);
    if (id === UPGRADE) upgrade = fields.valueAt(i);
    else if (id === TE) {
      acceptsTrailers ||= listItems(fields.valueAt(i)).includes("trailers");
    } else if (id === CONNECTION) {
      // What nearly every sender says; no string has to be made of it.
      if (fields.isValueAt(i, KEEP_ALIVE, KEEP_ALIVE.length)) keepAlive = true;
      else {for (const option of listItems(fields.valueAt(i))) {
          if (option === "close") close = true;
          else if (option === "keep-alive") keepAlive = true;
          else if (option === "upgrade") namesUpgrade = true;
          else if (option !== "" && !KEPT.has(option)) nominated.push(option);
        }}
    }
  }
  for (const name of nominated) fields.delete(name);
  return { close, keepAlive, acceptsTrailers, upgrade: namesUpgrade ? upgrade : undefined };
}
