// What the package throws -> an error that says what happened and holds neither request nor response: tokens are in there.
import type { ConsulAddress } from "../../../config/bootstrap.ts";
import { ConsulError } from "./api.ts";

/** Longer answers are pages of somebody else. */
const MAX_TEXT = 200;

/** How an operator knows the agent. */
export function describeAddress(address: ConsulAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind}://${host}:${address.port}`;
}

/** The status of an answer other than 2xx; undefined where none came. */
export function statusOf(error: unknown): number | undefined {
  const status = responseOf(error)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

export function explain(error: unknown, address: ConsulAddress): ConsulError {
  if (error instanceof ConsulError) return error;
  const where = describeAddress(address);
  const status = statusOf(error);
  if (status === undefined) {
    return new ConsulError(`Consul at ${where} cannot be reached: ${reasonOf(error)}`);
  }
  const body = responseOf(error)?.body;
  const said = typeof body === "string" && body.trim() !== ""
    ? `: ${body.trim().slice(0, MAX_TEXT)}`
    : "";
  const hint = status === 403 ? " (the token may not do this)" : "";
  return new ConsulError(`Consul at ${where} answered ${status}${said}${hint}`, status);
}

function responseOf(error: unknown): { statusCode?: unknown; body?: unknown } | undefined {
  if (typeof error !== "object" || error === null || !("response" in error)) return undefined;
  const { response } = error;
  return typeof response === "object" && response !== null ? response : undefined;
}

/** Without the package's own prefixes; a connection error of several addresses says nothing itself. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(reasonOf).join("; ");
  }
  return error.message.replace(/^consul: /, "");
}
