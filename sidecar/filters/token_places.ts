// Where a request carries its token: a header, a cookie or the query. One token, or there are two readers.
import { ProxyError } from "../errors.ts";
import type { Request } from "../http/message.ts";
import type { TokenPlace } from "../identity/jwt/settings.ts";

/** The token, or undefined where nothing stands. Throws ProxyError `invalid-authorization` for what is not one token. */
export type TokenReader = (request: Request) => string | undefined;

export function tokenReader(place: TokenPlace): TokenReader {
  switch (place.kind) {
    case "header":
      return headerReader(place.name, place.scheme);
    case "cookie":
      return (request) => cookieToken(request, place.name);
    case "query":
      return (request) => takeQueryToken(request, place.name);
  }
}

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 2.1) and its like. */
function headerReader(name: string, scheme: string | undefined): TokenReader {
  const start = scheme === undefined ? "" : `${scheme.toLowerCase()} `;
  return ({ headers }) => {
    const values = headers.all(name);
    const value = values[0];
    if (value === undefined) return undefined;
    const token = value.slice(start.length);
    if (
      values.length > 1 || value.slice(0, start.length).toLowerCase() !== start || token === "" ||
      token.includes(" ")
    ) {
      throw invalid(name);
    }
    return token;
  };
}

/** RFC 6265 5.4; HTTP/2 may cut the field into several (RFC 9113 8.2.3). */
function cookieToken({ headers }: Request, name: string): string | undefined {
  if (!headers.has("cookie")) return undefined;
  let token: string | undefined;
  for (const pair of headers.all("cookie").flatMap((value) => value.split(";"))) {
    const [key = "", ...rest] = pair.trim().split("=");
    if (key !== name) continue;
    if (token !== undefined) throw invalid(name);
    token = rest.join("=");
  }
  return token === "" ? undefined : token;
}

/** Taken out: what stands in a target is written down by everything behind us. */
function takeQueryToken(request: Request, name: string): string | undefined {
  const at = request.target.indexOf("?");
  if (at < 0 || !request.target.includes(`${name}=`, at)) return undefined;
  const pairs = request.target.slice(at + 1).split("&");
  const tokens = pairs.filter((pair) => pair.startsWith(`${name}=`));
  if (tokens.length === 0) return undefined;
  const others = pairs.filter((pair) => !pair.startsWith(`${name}=`)).join("&");
  request.target = request.target.slice(0, at) + (others === "" ? "" : `?${others}`);
  if (tokens.length > 1) throw invalid(name);
  return tokens[0]!.slice(name.length + 1) || undefined;
}

function invalid(name: string): ProxyError {
  return new ProxyError("invalid-authorization", `${name} is not one token`, {
    side: "downstream",
  });
}
