// Says who asked and through whom: x-forwarded-*, x-request-id, via. README "Whom we believe" has the rule in words.
//
//   edge      what came from outside is believed from trusted proxies only, else replaced
//   inbound   what the mesh said is kept, and the caller's address added; nothing is believed of who could prove what it is
//             and did not
//   outbound  the app is the client; its x-request-id is kept so that its own calls stay together
import { ProxyError } from "../errors.ts";
import { NameSet } from "../http/field_names.ts";
import type { Fields } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { IpBlocks, parseIp } from "../lib/ip_blocks.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** More hops than this are a loop in all but name. */
const MAX_VIA = 32;
/** Longer ids are somebody else's data. */
const MAX_REQUEST_ID = 128;
/** The longest way to write an IP address; anything longer is none, and would fill the log. */
const MAX_ADDRESS = 45;

/** What a proxy in front would say, and anybody can claim; some frameworks route or authorize by it. */
const CLAIMS = new NameSet([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-user",
  "x-original-url",
  "x-rewrite-url",
  "x-real-ip",
  "forwarded",
  "x-request-id",
  "x-mesh-timeout-ms",
]);

export interface ForwardedOptions {
  /** What we call ourselves in Via (RFC 9110 7.6.3): one name a listener, so that a loop is told from a revisit. */
  readonly pseudonym: string;
  readonly trustedProxies: readonly string[];
  /** Callers could have proved by mTLS to be of the mesh; those who did not are of the outside. */
  readonly hasProof?: boolean;
  readonly newRequestId: () => string;
}

export class Forwarded implements Filter {
  readonly name = "forwarded";
  readonly #options: ForwardedOptions;
  readonly #trusted: IpBlocks;
  /** Ours, for HTTP/1.1: made once. */
  readonly #via: string;

  constructor(options: ForwardedOptions) {
    this.#options = options;
    this.#trusted = new IpBlocks(options.trustedProxies);
    this.#via = `1.1 ${options.pseudonym}`;
  }

  onRequest(exchange: ExchangeView): undefined {
    const { headers } = exchange.request;
    if (exchange.listener === "edge") this.#enterEdge(exchange, headers);
    else if (exchange.listener === "inbound") this.#enterInbound(exchange, headers);
    this.#identify(exchange, headers);
    // Last, because it may throw, and that answer too goes out with its id.
    this.#addVia(headers, exchange.request.version);
  }

  onResponse(exchange: ExchangeView, response: Response): void {
    if (exchange.listener === "edge") response.headers.set("x-request-id", exchange.requestId);
    // A forward proxy must say so on the way back too; a gateway need not (RFC 9110 7.6.3).
    else if (exchange.listener === "outbound") {
      response.headers.append("via", this.#via);
    }
  }

  #addVia(headers: Fields, version: string): void {
    const { pseudonym } = this.#options;
    if (headers.has("via")) {
      const hops = headers.all("via").join(",").split(",");
      if (hops.length > MAX_VIA || hops.some((hop) => hop.trim().split(" ")[1] === pseudonym)) {
        throw new ProxyError("loop-detected", `this request has been at ${pseudonym} before`, {
          side: "local",
        });
      }
    }
    headers.append("via", version === "1.1" ? this.#via : `${version} ${pseudonym}`);
  }

  #enterEdge(exchange: ExchangeView, headers: Fields): void {
    const peer = exchange.incoming.peer.host;
    const isTrusted = this.#trusted.contains(peer);
    if (!isTrusted) headers.deleteAll(CLAIMS);
    const before = isTrusted ? headers.all("x-forwarded-for").join(", ") : "";
    exchange.clientAddress = before === "" ? peer : this.#firstUntrusted(before, peer);
    headers.set("x-forwarded-for", before === "" ? peer : `${before}, ${peer}`);
    if (!headers.has("x-forwarded-proto")) {
      headers.append("x-forwarded-proto", exchange.request.scheme);
    }
    if (!headers.has("x-forwarded-host")) {
      headers.append("x-forwarded-host", exchange.request.authority);
    }
  }

  /** Read from the right: each address was written by the one behind it, and counts as far as those are trusted. */
  #firstUntrusted(list: string, peer: string): string {
    const hops = list.split(",").map((hop) => hop.trim());
    let address = peer;
    for (let i = hops.length - 1; i >= 0; i--) {
      // `unknown` and the like: then the one that wrote it is the last we know of.
      if (parseIp(hops[i]!) === null) break;
      address = hops[i]!;
      if (!this.#trusted.contains(address)) break;
    }
    return address;
  }

  #enterInbound(exchange: ExchangeView, headers: Fields): void {
    const { host: peer, identity } = exchange.incoming.peer;
    if (this.#options.hasProof === true && identity === undefined) headers.deleteAll(CLAIMS);
    const before = headers.all("x-forwarded-for").join(", ");
    const first = before.split(",", 1)[0]!.trim();
    exchange.clientAddress = first === "" || first.length > MAX_ADDRESS ? peer : first;
    headers.set("x-forwarded-for", before === "" ? peer : `${before}, ${peer}`);
  }

  #identify(exchange: ExchangeView, headers: Fields): void {
    const given = headers.get("x-request-id");
    if (given !== undefined && isRequestId(given)) {
      exchange.requestId = given;
      return;
    }
    exchange.requestId = this.#options.newRequestId();
    headers.set("x-request-id", exchange.requestId);
  }
}

/** Visible ASCII: it ends up in logs and in other systems' headers. */
function isRequestId(text: string): boolean {
  if (text.length === 0 || text.length > MAX_REQUEST_ID) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}
