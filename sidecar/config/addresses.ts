// Addresses, CIDR blocks and what two listeners have in common. Text only: no name is resolved here.
import { parseIp } from "../lib/ip_blocks.ts";
import type { Address } from "./bootstrap.ts";
import { expected, type Parsed } from "./units.ts";

export const BIND_ADDRESS = "an address to listen on such as 127.0.0.1:8001, [::1]:80 or 0.0.0.0:0";
export const DIAL_ADDRESS = "an address such as 127.0.0.1:8001, [::1]:80 or localhost:80";
export const HOST = "an IP address or host name without a port, such as 10.0.0.5";
export const CIDR = "a CIDR block such as 10.0.0.0/8 or fd00::/8";

/** The shape of an address for editors; parseAddress is what decides. */
export const ADDRESS_PATTERN = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$/;
export const CIDR_PATTERN = /^[0-9A-Fa-f:.]+\/[0-9]{1,3}$/;
export const HOST_PATTERN = /^[0-9A-Za-z.:-]{1,253}$/;

const IPV4_PATTERN = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const IPV6_CHARACTERS = /^[0-9A-Fa-f:.]+$/;
const NAME_PATTERN =
  /^(?=.{1,253}$)[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*$/;
const ALL_DIGITS_AND_DOTS = /^[0-9.]+$/;

/** An address to listen on; port 0 picks a free one. */
export function parseBindAddress(text: string): Parsed<Address> {
  return parseAddress(text, 0, BIND_ADDRESS);
}

/** An address to call: a port is needed. */
export function parseDialAddress(text: string): Parsed<Address> {
  return parseAddress(text, 1, DIAL_ADDRESS);
}

/** An IP literal (IPv6 without brackets) or a host name, in lower case. */
export function parseHost(text: string): Parsed<string> {
  return isIp(text) || isName(text) ? { ok: true, value: text.toLowerCase() } : expected(HOST);
}

/** `10.0.0.0/8` or `fd00::/8`: what IpBlocks takes, but never without the length. Kept as written, in lower case. */
export function parseCidr(text: string): Parsed<string> {
  const [host, length, ...more] = text.split("/");
  const isNumber = length !== undefined && /^(?:0|[1-9][0-9]{0,2})$/.test(length);
  const ip = parseIp(host ?? "");
  const isCidr = isNumber && more.length === 0 && ip !== null && Number(length) <= ip.size;
  return isCidr ? { ok: true, value: text.toLowerCase() } : expected(CIDR);
}

export function isIp(host: string): boolean {
  return isIpv4(host) || isIpv6(host);
}

/** 127.0.0.0/8, ::1 and the name localhost. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || canonicalHost(host) === "::1" ||
    (isIpv4(host) && host.startsWith("127."));
}

/** 0.0.0.0 and :: listen on every interface, so nobody can dial them. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || canonicalHost(host) === "::";
}

/** Whether one machine cannot listen on both. Port 0 never collides; :: takes IPv4 as well. */
export function isSameListener(left: Address, right: Address): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  const a = canonicalHost(left.host);
  const b = canonicalHost(right.host);
  return a === b || covers(a, b) || covers(b, a);
}

function covers(wildcard: string, host: string): boolean {
  return wildcard === "::" || (wildcard === "0.0.0.0" && !isIpv6(host));
}

function canonicalHost(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  return isIpv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

function parseAddress(text: string, minPort: number, what: string): Parsed<Address> {
  const colon = text.lastIndexOf(":");
  const portText = text.slice(colon + 1);
  if (colon < 1 || !/^(?:0|[1-9][0-9]{0,4})$/.test(portText)) return expected(what);
  const port = Number(portText);
  if (port < minPort || port > 65535) {
    return { ok: false, problem: `port out of range, expected ${minPort} to 65535` };
  }
  const written = text.slice(0, colon);
  const host = written.startsWith("[") && written.endsWith("]") ? written.slice(1, -1) : written;
  const isWellFormed = host === written ? isIpv4(host) || isName(host) : isIpv6(host);
  return isWellFormed ? { ok: true, value: { host: host.toLowerCase(), port } } : expected(what);
}

function isIpv4(host: string): boolean {
  return IPV4_PATTERN.test(host);
}

function isIpv6(host: string): boolean {
  return host.includes(":") && IPV6_CHARACTERS.test(host) && URL.canParse(`http://[${host}]`);
}

/** A host name; four wrong numbers such as 999.0.0.1 are not taken for one. */
function isName(host: string): boolean {
  return NAME_PATTERN.test(host) && !ALL_DIGITS_AND_DOTS.test(host);
}
