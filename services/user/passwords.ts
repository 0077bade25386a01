// Password hashes: scrypt with a salt of its own for each user. The hash string names its parameters, so that they can
// be raised later without locking anybody out: $scrypt$ln=14,r=8,p=5$SALT$KEY in base64.

import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

// One of the settings that the OWASP password storage cheat sheet holds equal; this one takes 16 MiB a check.
const cost: Cost = { N: 2 ** 14, r: 8, p: 5 };
const maxMemoryBytes = 64 * 1024 * 1024;
const keyBytes = 32;
const format = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/;

// Checked in place of a hash that is not there, so that an unknown user costs as much time as a known one.
const dummyHash = serialize(cost, Buffer.alloc(16), Buffer.alloc(keyBytes));

/** Hashes with a new salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return serialize(cost, salt, await derive(password, salt, cost));
}

/** Whether the password fits the hash; takes as long, and says no, where there is no hash. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const [, ln, r, p, salt = "", key = ""] = format.exec(hash ?? dummyHash) ?? [];
  if (ln === undefined) throw new Error("a stored password hash has an unknown format");
  const storedCost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, "base64"), storedCost);
  const isEqual = timingSafeEqual(derived, Buffer.from(key, "base64"));
  return isEqual && hash !== null;
}

function derive(password: string, salt: Buffer, { N, r, p }: Cost): Promise<Buffer> {
  // One password, however a keyboard composes its accents (NIST SP 800-63B, 5.1.1.2).
  const text = password.normalize("NFKC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, keyBytes, { N, r, p, maxmem: maxMemoryBytes }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

function serialize({ N, r, p }: Cost, salt: Buffer, key: Buffer): string {
  const cost = `ln=${Math.log2(N)},r=${r},p=${p}`;
  return `$scrypt$${cost}$${salt.toString("base64")}$${key.toString("base64")}`;
}
