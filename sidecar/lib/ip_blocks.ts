// IP address blocks such as 10.0.0.0/8 or fd00::/8, and whether an address lies in one (RFC 4632, RFC 4291).

interface Block {
  readonly bits: bigint;
  readonly prefix: number;
  readonly size: 32 | 128;
}

/** What stands above an IPv4 address inside an IPv6 one (RFC 4291 2.5.5.2). */
const MAPPED = 0xffffn;

/** An address as a number; null for what is no IP address. IPv4 inside IPv6 (`::ffff:1.2.3.4`) counts as IPv4. */
export function parseIp(text: string): { readonly bits: bigint; readonly size: 32 | 128 } | null {
  if (!text.includes(":")) return parseIpv4(text);
  const ip = parseIpv6(withoutDots(text));
  return ip !== null && ip.bits >> 32n === MAPPED ? { bits: ip.bits & 0xffff_ffffn, size: 32 } : ip;
}

/** The last four bytes of an IPv6 address may be written as IPv4 (RFC 4291 2.2): here as two groups like the others. */
function withoutDots(text: string): string {
  if (!text.includes(".")) return text;
  const start = text.lastIndexOf(":") + 1;
  const ip = parseIpv4(text.slice(start));
  if (ip === null) return text;
  return `${text.slice(0, start)}${(ip.bits >> 16n).toString(16)}:${
    (ip.bits & 0xffffn).toString(16)
  }`;
}

function parseIpv4(text: string): { bits: bigint; size: 32 } | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    bits = bits << 8n | BigInt(part);
  }
  return { bits, size: 32 };
}

function parseIpv6(text: string): { bits: bigint; size: 128 } | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = halves[0] === "" ? [] : halves[0]!.split(":");
  const tail = halves[1] === undefined || halves[1] === "" ? [] : halves[1].split(":");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  let bits = 0n;
  for (const group of [...head, ...Array<string>(missing).fill("0"), ...tail]) {
    if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return null;
    bits = bits << 16n | BigInt(`0x${group}`);
  }
  return { bits, size: 128 };
}

/** A set of blocks. Throws SyntaxError on a block that is none. */
export class IpBlocks {
  readonly #blocks: readonly Block[];

  constructor(blocks: readonly string[]) {
    this.#blocks = blocks.map(parseBlock);
  }

  contains(address: string): boolean {
    if (this.#blocks.length === 0) return false;
    const ip = parseIp(address);
    if (ip === null) return false;
    return this.#blocks.some(({ bits, prefix, size }) => {
      const shift = BigInt(size - prefix);
      return size === ip.size && bits >> shift === ip.bits >> shift;
    });
  }
}

function parseBlock(text: string): Block {
  const [address = "", length, ...more] = text.split("/");
  const ip = parseIp(address);
  // Number("") is 0, which would make the block everybody.
  const isNumber = length === undefined || /^(?:0|[1-9][0-9]{0,2})$/.test(length);
  const prefix = length === undefined ? ip?.size : Number(length);
  if (
    ip === null || prefix === undefined || !isNumber || prefix > ip.size || more.length > 0
  ) {
    throw new SyntaxError(`${text} is not an address block such as 10.0.0.0/8`);
  }
  return { bits: ip.bits, prefix, size: ip.size };
}
