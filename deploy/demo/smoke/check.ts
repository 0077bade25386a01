// What a check of the smoke session is, and how it says what it saw.
import type { Mesh } from "../mesh.ts";
import type { Answer, GatewayClient } from "./client.ts";

/** What checks work with. */
export interface Session {
  readonly mesh: Mesh;
  readonly client: GatewayClient;
  /** Calls a sidecar's inbound port as anybody on the machine may, and not as the mesh does. */
  readonly intruder: GatewayClient;
  readonly jwtSecret: string;
  /** Where policy is pushed through, if it is. */
  readonly etcd: string | undefined;
}

export interface Check {
  /** A promise, as in the name of a test. */
  readonly name: string;
  /** Rejects with Mismatch, or with whatever went wrong. */
  run(session: Session): Promise<void>;
}

/** Something else came than was expected. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, came ${actual}`);
  }
}

/** The answer has this status and, where given, exactly this body. */
export function expectAnswer(answer: Answer, status: number, body?: string): void {
  const isRight = answer.status === status && (body === undefined || answer.text === body);
  if (!isRight) throw new Mismatch(`${status} ${body ?? ""}`.trim(), describe(answer));
}

export function expectHeader(answer: Answer, name: string, value: string | RegExp): void {
  const actual = answer.headers.get(name);
  const isRight = actual !== null &&
    (typeof value === "string" ? actual === value : value.test(actual));
  if (!isRight) throw new Mismatch(`${name}: ${value}`, actual === null ? "none" : actual);
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) {
    throw new Mismatch(`${what} ${JSON.stringify(expected)}`, JSON.stringify(actual) ?? "none");
  }
}

export function describe({ status, text }: Answer): string {
  return `${status} ${text.slice(0, 200).trim()}`.trim();
}
