// At an edge that checks no tokens, and to callers who prove nothing, nobody is anybody: what says who is calling is not taken
// from outside.
import { NameSet } from "../http/field_names.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** What services believe about the caller. */
export const IDENTITY_FIELD = "x-user-id";
/** What they believe about a client's certificate, in Envoy's words. */
export const CERTIFICATE_FIELD = "x-forwarded-client-cert";

/** A name with more is told in two spellings only, or there would be no end of them. */
const MAX_DASHES = 4;

/** Each dash may come as an underscore: CGI, WSGI and PHP apps read `x_user_id` as the same name. */
export function spellingsOf(name: string): string[] {
  const [first = "", ...parts] = name.split("-");
  if (parts.length > MAX_DASHES) return [name, name.replaceAll("-", "_")];
  let spellings = [first];
  for (const part of parts) {
    spellings = spellings.flatMap((start) => [`${start}-${part}`, `${start}_${part}`]);
  }
  return spellings;
}

const OF_USERS = new NameSet(spellingsOf(IDENTITY_FIELD));
const OF_ALL = new NameSet([IDENTITY_FIELD, CERTIFICATE_FIELD].flatMap(spellingsOf));

export class StripIdentity implements Filter {
  readonly name = "strip-identity";
  readonly #from: "everybody" | "anonymous";

  /**
   * `anonymous`: only from who has not proved by mTLS to be of the mesh, and what is said of certificates too. At an edge it
   * is another filter that says something of these.
   */
  constructor({ from }: { readonly from: "everybody" | "anonymous" } = { from: "everybody" }) {
    this.#from = from;
  }

  onRequest(exchange: ExchangeView): undefined {
    const { request: { headers }, incoming: { peer } } = exchange;
    if (this.#from === "everybody") headers.deleteAll(OF_USERS);
    else if (peer.identity === undefined) headers.deleteAll(OF_ALL);
  }
}
