// Turns a table of routes into a handler of requests. Everything that every service answers alike is decided here:
// health, unknown paths and methods, and what becomes of a throw.

import { errorAnswer, HttpError, json } from "./answers.ts";
import { InvalidRequest } from "./fields.ts";
import type { Log } from "./log.ts";

/** One request as a route sees it; `id` is what stood at `:id` in the path, decoded, or empty. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly id: string;
}

/** A path is literal segments and at most one `:id`. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly handle: (call: Call) => Promise<Response>;
}

/** Answers a request; never throws. */
export type Handler = (request: Request) => Promise<Response>;

interface RouterOptions {
  readonly service: string;
  readonly routes: readonly Route[];
  /** Rejects when the database does not answer. */
  readonly ping: () => Promise<void>;
  readonly log: Log;
}

interface Match {
  readonly route: Route;
  readonly id: string;
}

/** The whole HTTP face of a service. */
export function createHandler({ service, routes, ping, log }: RouterOptions): Handler {
  const health: Route = {
    method: "GET",
    path: "/health",
    handle: () => answerHealth(service, ping),
  };
  const table = [health, ...routes].map((route) => ({ route, pattern: route.path.split("/") }));

  const dispatch = (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const segments = url.pathname.split("/");
    const matches = table.flatMap(({ route, pattern }): Match[] => {
      const id = matchPath(pattern, segments);
      return id === null ? [] : [{ route, id }];
    });
    const { route, id } = selectMethod(matches, request.method);
    return route.handle({ request, url, id });
  };

  return async (request) => {
    try {
      return await dispatch(request);
    } catch (error) {
      if (error instanceof HttpError) {
        return errorAnswer(error.status, error.message, error.options);
      }
      if (error instanceof InvalidRequest) {
        return errorAnswer(400, error.message, { fields: error.fields });
      }
      log("error", "request failed", describe(request, error));
      return errorAnswer(500, "internal error");
    }
  };
}

async function answerHealth(service: string, ping: () => Promise<void>): Promise<Response> {
  try {
    await ping();
    return json(200, { status: "ok", service });
  } catch {
    return json(503, { status: "unavailable", service });
  }
}

function selectMethod(matches: readonly Match[], method: string): Match {
  if (matches.length === 0) throw new HttpError(404, "not found");
  // The server drops the body of an answer to HEAD by itself.
  const wanted = method === "HEAD" ? "GET" : method;
  const match = matches.find(({ route }) => route.method === wanted);
  if (match !== undefined) return match;
  const methods = matches.map(({ route }) => route.method === "GET" ? "GET, HEAD" : route.method);
  throw new HttpError(405, "method not allowed", { headers: { allow: methods.join(", ") } });
}

/** The decoded `:id`, empty where the pattern has none, or null where the path does not match. */
function matchPath(pattern: readonly string[], segments: readonly string[]): string | null {
  if (pattern.length !== segments.length) return null;
  let id = "";
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? "";
    if (expected !== ":id") {
      if (expected !== actual) return null;
      continue;
    }
    const decoded = decodeSegment(actual);
    if (decoded === null || decoded === "") return null;
    id = decoded;
  }
  return id;
}

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function describe(request: Request, error: unknown): Record<string, unknown> {
  return {
    requestId: request.headers.get("x-request-id")?.slice(0, 128) ?? null,
    method: request.method,
    path: new URL(request.url).pathname.slice(0, 256),
    error: error instanceof Error ? error.stack ?? error.message : String(error),
  };
}
