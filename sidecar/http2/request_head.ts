// What the head of a request says (RFC 9113 8.3.1, 8.5; RFC 8441 4), in the terms of the message model: pseudo-fields
// become its properties, and an extended CONNECT becomes the upgrade that HTTP/1.1 would have asked for.
import { Field } from "../http/field.ts";
import { FieldList } from "../http/fields.ts";
import { isHopByHop, knownId } from "../http/field_names.ts";
import type { TargetForm } from "../http/message.ts";
import { isAuthority, isTarget, isToken } from "../http/syntax.ts";
import {
  checkHopByHop,
  checkWellFormed,
  isPseudo,
  isTe,
  malformed,
  parseLength,
} from "./field_rules.ts";

const HOST = knownId("host");
const CONTENT_LENGTH = knownId("content-length");
const EXPECT = knownId("expect");
const COOKIE = knownId("cookie");

const SLASH = 47;

export interface RequestHead {
  readonly method: string;
  readonly form: TargetForm;
  readonly authority: string;
  readonly target: string;
  readonly upgrade: string | undefined;
  readonly acceptsTrailers: boolean;
  /** What content-length said. */
  readonly length: number | undefined;
  readonly headers: FieldList;
}

interface PseudoFields {
  method: Field | undefined;
  scheme: Field | undefined;
  authority: Field | undefined;
  path: Field | undefined;
  protocol: Field | undefined;
  /** How many there were. */
  count: number;
}

interface RegularFields {
  host: Field | undefined;
  length: number | undefined;
  acceptsTrailers: boolean;
}

interface Target {
  readonly method: string;
  readonly form: TargetForm;
  readonly target: string;
  readonly isTunnel: boolean;
}

/** Reads heads of one connection: clients repeat their authority, so its check and its Host field are remembered. */
export class RequestHeadReader {
  #authority: Field | undefined;
  #host: Field | undefined;

  /** Takes `fields` over. Throws StreamError on a malformed request (8.1.1). */
  read(stream: number, fields: Field[]): RequestHead {
    const pseudo = readPseudo(stream, fields);
    const { method, form, target, isTunnel } = readTarget(stream, pseudo);
    const regular = readRegular(stream, fields, pseudo.count, isTunnel);
    const host = this.#hostOf(stream, pseudo.authority, regular.host);
    // The first place was a pseudo-field's.
    fields[0] = host;
    return {
      method,
      form,
      authority: host.value,
      target: form === "authority" ? host.value : target,
      upgrade: pseudo.protocol?.value,
      acceptsTrailers: regular.acceptsTrailers,
      length: regular.length,
      headers: new FieldList(fields),
    };
  }

  /** The Host field that HTTP/1.1 would have sent: what :authority says, or else Host itself (8.3.1). */
  #hostOf(stream: number, authority: Field | undefined, host: Field | undefined): Field {
    const source = authority ?? host;
    if (source === undefined) malformed(stream, "neither :authority nor host");
    if (authority !== undefined && host !== undefined && authority.value !== host.value) {
      malformed(stream, ":authority and host differ");
    }
    if (source === this.#authority && this.#host !== undefined) return this.#host;
    if (source.value === "" || !isAuthority(source.value)) {
      malformed(stream, "the authority is not host[:port]");
    }
    this.#authority = source;
    return this.#host = host ?? new Field("host", source.value);
  }
}

function readPseudo(stream: number, fields: readonly Field[]): PseudoFields {
  const found: PseudoFields = {
    method: undefined,
    scheme: undefined,
    authority: undefined,
    path: undefined,
    protocol: undefined,
    count: 0,
  };
  for (const field of fields) {
    if (!isPseudo(field)) break;
    checkWellFormed(stream, field);
    switch (field.name) {
      case ":method":
        found.method = once(stream, found.method, field);
        break;
      case ":scheme":
        found.scheme = once(stream, found.scheme, field);
        break;
      case ":authority":
        found.authority = once(stream, found.authority, field);
        break;
      case ":path":
        found.path = once(stream, found.path, field);
        break;
      case ":protocol":
        found.protocol = once(stream, found.protocol, field);
        break;
      default:
        malformed(stream, "a pseudo-field that no request has");
    }
    found.count++;
  }
  return found;
}

function once(stream: number, before: Field | undefined, field: Field): Field {
  if (before !== undefined) malformed(stream, `${field.name} twice`);
  return field;
}

function readTarget(stream: number, pseudo: PseudoFields): Target {
  const { method: methodField, path, scheme, protocol } = pseudo;
  if (methodField === undefined) malformed(stream, "no :method");
  const method = methodField.value;
  if (methodField.staticIndex === 0 && !isToken(method)) malformed(stream, ":method is no token");
  if (protocol !== undefined) {
    if (method !== "CONNECT") malformed(stream, ":protocol without CONNECT");
    if (!isToken(protocol.value)) malformed(stream, ":protocol is no token");
  } else if (method === "CONNECT") return connectTarget(stream, pseudo);
  if (scheme === undefined || path === undefined) malformed(stream, "no :scheme or no :path");
  if (scheme.value !== "http" && scheme.value !== "https") malformed(stream, "an unknown :scheme");
  const target = path.value;
  if (target === "*" && method === "OPTIONS") {
    return { method, form: "asterisk", target, isTunnel: false };
  }
  if (target.charCodeAt(0) !== SLASH || !isTarget(target)) malformed(stream, ":path is no path");
  if (protocol === undefined) return { method, form: "origin", target, isTunnel: false };
  if (pseudo.authority === undefined) malformed(stream, "an extended CONNECT without :authority");
  return { method: "GET", form: "origin", target, isTunnel: true };
}

/** Plain CONNECT names an authority with a port and nothing else (8.5). */
function connectTarget(stream: number, pseudo: PseudoFields): Target {
  const { authority, path, scheme } = pseudo;
  if (path !== undefined || scheme !== undefined) {
    malformed(stream, "CONNECT with :path or :scheme");
  }
  const hasPort = authority !== undefined && /:[0-9]{1,5}$/.test(authority.value);
  if (!hasPort) malformed(stream, "the :authority of CONNECT is not host:port");
  return { method: "CONNECT", form: "authority", target: "", isTunnel: true };
}

/** Moves what goes end to end to the places from 1 on. */
function readRegular(
  stream: number,
  fields: Field[],
  start: number,
  isTunnel: boolean,
): RegularFields {
  const found: RegularFields = { host: undefined, length: undefined, acceptsTrailers: false };
  let kept = 1;
  let cookieAt = 0;
  for (let i = start; i < fields.length; i++) {
    const field = fields[i]!;
    checkWellFormed(stream, field);
    const { id } = field;
    if (id === 0) {
      if (isPseudo(field)) malformed(stream, "a pseudo-field behind a regular one");
    } else if (isHopByHop(id)) {
      checkHopByHop(stream, field);
      if (isTe(field)) found.acceptsTrailers = true;
      continue;
    } else if (id === HOST) {
      found.host = once(stream, found.host, field);
      continue;
    } else if (id === CONTENT_LENGTH) {
      if (found.length !== undefined) malformed(stream, "content-length twice");
      found.length = parseLength(stream, field.value);
      // A tunnel has no length (RFC 9110 9.3.6).
      if (isTunnel) continue;
    } else if (id === EXPECT) {
      // 100-continue is passed on; no other expectation is defined (RFC 9110 10.1.1).
      if (field.value.toLowerCase() !== "100-continue") continue;
    } else if (id === COOKIE) {
      if (cookieAt !== 0) {
        fields[cookieAt] = joinCookies(fields[cookieAt]!, field);
        continue;
      }
      cookieAt = kept;
    }
    fields[kept++] = field;
  }
  fields.length = kept;
  if (isTunnel) found.length = undefined;
  return found;
}

/** Crumbs become one field again before anybody who knows HTTP/1.1 sees them (8.2.3). */
function joinCookies(first: Field, next: Field): Field {
  return new Field(
    "cookie",
    `${first.value}; ${next.value}`,
    first.isSensitive || next.isSensitive,
  );
}
