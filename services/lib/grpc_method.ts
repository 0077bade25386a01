// Between a service's methods, plain asynchronous functions, and grpc-js: what a method answers or throws becomes a status.

import { type handleUnaryCall, Metadata, type ServerErrorResponse, status } from "@grpc/grpc-js";
import { InvalidRequest } from "./fields.ts";
import type { Log } from "./log.ts";

/** Takes the request as the .proto says, every field there, and resolves to the response likewise. */
export type UnaryMethod = (request: never, metadata: Metadata) => Promise<object>;

/** Ends a call with this status; its text is shown to the caller, so it holds no secret. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: status;
  /** Trailers besides the status. */
  readonly trailers: Readonly<Record<string, string>>;

  constructor(code: status, message: string, trailers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.trailers = trailers;
  }
}

/** More would make trailers that a proxy on the way refuses. */
const maxProblems = 10;

/** A handler that never throws. */
export function unary(
  path: string,
  method: UnaryMethod,
  log: Log,
): handleUnaryCall<unknown, object> {
  return async ({ request, metadata }, callback) => {
    try {
      // The definition of the service decoded it, and the method was written for that definition.
      callback(null, await method(request as never, metadata));
    } catch (error) {
      callback(statusOf(error, { path, metadata, log }));
    }
  };
}

/** The first value of a metadata entry; null where there is none. */
export function readEntry(metadata: Metadata, name: string): string | null {
  const [value] = metadata.get(name);
  return typeof value === "string" ? value : null;
}

/** The query by which HTTP asks for the same page; a number of 0 was not set. */
export function pageQuery(
  { page, pageSize }: { readonly page: number; readonly pageSize: number },
): URLSearchParams {
  const asked = [["page", page], ["page_size", pageSize]] as const;
  return new URLSearchParams(
    asked.filter(([, value]) => value !== 0).map(([name, value]) => [name, String(value)]),
  );
}

interface Context {
  readonly path: string;
  readonly metadata: Metadata;
  readonly log: Log;
}

function statusOf(error: unknown, { path, metadata, log }: Context): Partial<ServerErrorResponse> {
  if (error instanceof GrpcError) {
    const { code, message, trailers } = error;
    return { code, details: message, metadata: Metadata.fromHttp2Headers(trailers) };
  }
  if (error instanceof InvalidRequest) {
    return { code: status.INVALID_ARGUMENT, details: describe(error) };
  }
  log("error", "call failed", {
    requestId: readEntry(metadata, "x-request-id")?.slice(0, 128) ?? null,
    path,
    error: error instanceof Error ? error.stack ?? error.message : String(error),
  });
  return { code: status.INTERNAL, details: "internal error" };
}

function describe({ message, fields }: InvalidRequest): string {
  const problems = Object.entries(fields).map(([name, problem]) => `${name} ${problem}`);
  const shown = problems.slice(0, maxProblems).join("; ");
  const rest = problems.length - maxProblems;
  return `${message}: ${shown}${rest > 0 ? `; and ${rest} more` : ""}`;
}
