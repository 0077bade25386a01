// What of a request decides where it goes, as a number.
import { murmur32 } from "../../lib/murmur.ts";
import type { HashOn } from "../../snapshot/balancer_settings.ts";
import type { Asker } from "./picker.ts";

/** The hash of the key that `on` names; undefined where the request has none. */
export function hashOf(on: HashOn, asker: Asker | undefined): number | undefined {
  const key = asker && keyOf(on, asker);
  return key === undefined || key === "" ? undefined : murmur32(key);
}

function keyOf(on: HashOn, { request, clientAddress, caller }: Asker): string | undefined {
  switch (on.kind) {
    case "client":
      return clientAddress;
    case "path":
      return pathOf(request.target);
    case "header":
      return request.headers.get(on.name);
    case "cookie":
      return cookieOf(request.headers.get("cookie") ?? "", on.name);
    case "claim":
      return claimOf(caller?.claims[on.name]);
  }
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/** RFC 6265, section 5.4: pairs with `; ` between them. */
function cookieOf(field: string, name: string): string | undefined {
  for (const pair of field.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

function claimOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
