// What the head of a request says (RFC 9112 3 and 6): method, target, version, host, and how its body is framed.
// Anything that two readers could understand differently is refused: that is how requests are smuggled.
import { type ErrorKind, ProxyError } from "../errors.ts";
import { knownId } from "../http/field_names.ts";
import type { TargetForm } from "../http/message.ts";
import { isAuthority, isToken, listItems } from "../http/syntax.ts";
import { equals, latin1, latin1Bytes, writeLatin1 } from "../lib/bytes.ts";
import type { Framing } from "./framing.ts";
import type { HeadParser } from "./head_parser.ts";
import { stripHopByHop } from "./hop_by_hop.ts";
import { readContentLength, readTransferEncoding } from "./length_fields.ts";
import type { RawFields } from "./raw_fields.ts";

const HOST = knownId("host");
const EXPECT = knownId("expect");

const GET = latin1Bytes("GET");
const POST = latin1Bytes("POST");
const HTTP_1_1 = latin1Bytes("HTTP/1.1");
const HTTP_1_0 = latin1Bytes("HTTP/1.0");

export interface RequestHead {
  readonly method: string;
  readonly form: TargetForm;
  readonly authority: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly framing: Framing;
  /** The client will take another response on this connection. */
  readonly keepAlive: boolean;
  readonly upgrade: string | undefined;
  readonly acceptsTrailers: boolean;
  readonly expectsContinue: boolean;
}

/** Reads the head that `parser` has whole, and takes its hop-by-hop fields out. Throws ProxyError of side downstream. */
export function readRequestHead(parser: HeadParser): RequestHead {
  const { fields } = parser;
  const { bytes, base } = fields;
  const method = readMethod(bytes, base + parser.lineStart, base + parser.firstSpace);
  const version = readVersion(bytes, base + parser.secondSpace + 1, base + parser.lineEnd);
  const rawTarget = latin1(bytes, base + parser.firstSpace + 1, base + parser.secondSpace);
  const host = readHost(fields, version);
  const { form, authority, target } = readTarget(method, rawTarget, host);
  // An absolute target overrides Host (RFC 9112 3.2.2), and HTTP/1.0 need not send one.
  if (host !== authority) fields.set("host", authority);
  const framing = readFraming(fields, version);
  const expectsContinue = readExpect(fields, version);
  const hop = stripHopByHop(fields);
  return {
    method,
    form,
    authority,
    target,
    version,
    framing,
    expectsContinue,
    keepAlive: version === "1.1" ? !hop.close : hop.keepAlive && !hop.close,
    upgrade: version === "1.1" && isEmpty(framing) ? readUpgrade(hop.upgrade) : undefined,
    acceptsTrailers: hop.acceptsTrailers,
  };
}

function isEmpty(framing: Framing): boolean {
  return framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0);
}

/**
 * One protocol, asked for without a body; anything else may be ignored (RFC 9110 7.8), as HTTP/2 must be: its bytes
 * behind a switch would be requests that no rule has seen.
 */
function readUpgrade(value: string | undefined): string | undefined {
  const protocol = value?.toLowerCase();
  return protocol === undefined || !isToken(protocol.replace("/", "")) || protocol === "h2c"
    ? undefined
    : protocol;
}

/** The common ones are told by their bytes: making a string costs more than the rest of the line. */
function readMethod(bytes: Uint8Array, start: number, end: number): string {
  if (equals(bytes, start, end, GET)) return "GET";
  if (equals(bytes, start, end, POST)) return "POST";
  const method = latin1(bytes, start, end);
  if (!isToken(method)) refuse("the method is not a token");
  return method;
}

function readVersion(bytes: Uint8Array, start: number, end: number): "1.0" | "1.1" {
  if (equals(bytes, start, end, HTTP_1_1)) return "1.1";
  if (equals(bytes, start, end, HTTP_1_0)) return "1.0";
  const text = latin1(bytes, start, end);
  if (/^HTTP\/[0-9]\.[0-9]$/.test(text)) {
    refuse(`${text} is not spoken here, HTTP/1.1 and HTTP/1.0 are`, "version-not-supported");
  }
  refuse("the request line does not end in HTTP/1.1");
}

function readHost(fields: RawFields, version: "1.0" | "1.1"): string | undefined {
  let host: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.idAt(i) !== HOST) continue;
    if (host !== undefined) refuse("more than one Host");
    host = hostAt(fields, i);
  }
  if (host === undefined && version === "1.1") refuse("no Host");
  return host;
}

/** The host that was let through last, with its bytes: most requests name the same, and need no string made and checked. */
let lastHost = "";
const lastHostBytes = new Uint8Array(64);

function hostAt(fields: RawFields, index: number): string {
  if (fields.isValueAt(index, lastHostBytes, lastHost.length)) return lastHost;
  const host = fields.valueAt(index);
  if (!isAuthority(host)) refuse("Host is not host[:port]");
  if (host.length <= lastHostBytes.length) {
    writeLatin1(lastHostBytes, 0, host);
    lastHost = host;
  }
  return host;
}

interface Target {
  readonly form: TargetForm;
  readonly authority: string;
  readonly target: string;
}

/** The four forms of RFC 9112 3.2. */
function readTarget(method: string, raw: string, host: string | undefined): Target {
  if (method === "CONNECT") {
    if (!isAuthority(raw) || !/:[0-9]{1,5}$/.test(raw)) {
      refuse("the target of CONNECT is not host:port");
    }
    return { form: "authority", authority: raw, target: raw };
  }
  if (raw.charCodeAt(0) === 47) return { form: "origin", authority: host ?? "", target: raw };
  if (raw === "*") {
    if (method !== "OPTIONS") refuse("the target * is for OPTIONS alone");
    return { form: "asterisk", authority: host ?? "", target: "*" };
  }
  const scheme = raw.slice(0, 7).toLowerCase();
  if (scheme !== "http://") refuse("the target is neither a path nor an http:// address");
  return readAbsolute(method, raw);
}

function readAbsolute(method: string, raw: string): Target {
  let end = raw.length;
  for (let i = 7; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === 47 || code === 63) {
      end = i;
      break;
    }
  }
  const authority = raw.slice(7, end);
  if (authority === "" || !isAuthority(authority)) {
    refuse("the authority of the target is not host[:port]");
  }
  const rest = raw.slice(end);
  // OPTIONS of a whole server is `*` to the server itself (RFC 9112 3.2.4).
  if (rest === "" && method === "OPTIONS") return { form: "absolute", authority, target: "*" };
  const target = rest.startsWith("/") ? rest : "/" + rest;
  return { form: "absolute", authority, target };
}

/** RFC 9112 6.1 and 6.3, without its leniencies. */
function readFraming(fields: RawFields, version: "1.0" | "1.1"): Framing {
  const bytes = readContentLength(fields, refuse);
  const coding = readTransferEncoding(fields, refuse);
  if (coding !== undefined) return readCoding(coding, bytes, version);
  return bytes === undefined ? NO_BODY : { kind: "length", bytes };
}

const NO_BODY: Framing = { kind: "none" };

function readCoding(coding: string, length: number | undefined, version: "1.0" | "1.1"): Framing {
  if (length !== undefined) refuse("Content-Length together with Transfer-Encoding");
  if (version === "1.0") refuse("Transfer-Encoding in HTTP/1.0");
  if (coding.toLowerCase() === "chunked") return { kind: "chunked" };
  const codings = listItems(coding);
  if (codings.every(isToken) && codings.indexOf("chunked") === codings.length - 1) {
    refuse("a transfer coding other than chunked", "not-implemented");
  }
  refuse("Transfer-Encoding is not chunked");
}

/** 100-continue is passed on; no other expectation is defined (RFC 9110 10.1.1). */
function readExpect(fields: RawFields, version: "1.0" | "1.1"): boolean {
  let expects = false;
  if (!fields.mayHave(EXPECT)) return false;
  for (let i = 0; i < fields.count; i++) {
    if (fields.idAt(i) !== EXPECT) continue;
    if (version === "1.1" && fields.valueAt(i).toLowerCase() === "100-continue") expects = true;
    else fields.drop(i);
  }
  return expects;
}

function refuse(message: string, kind: ErrorKind = "bad-request"): never {
  throw new ProxyError(kind, message, { side: "downstream" });
}
