// At an edge that checks no tokens, and to callers who prove nothing, nobody is anybody: what says who is calling is not taken from outside.
import { NameSet } from "../http/field_names.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** What services believe about the caller. */
export const IDENTITY_FIELD = "x-user-id";

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

const SPELLINGS = new NameSet(spellingsOf(IDENTITY_FIELD));

export class StripIdentity implements Filter {
  readonly name = "strip-identity";
  readonly #from: "everybody" | "anonymous";

  /** `anonymous`: only from who has not proved by mTLS to be of the mesh. */
  constructor({ from }: { readonly from: "everybody" | "anonymous" } = { from: "everybody" }) {
    this.#from = from;
  }

  onRequest(exchange: ExchangeView): undefined {
    if (this.#from === "anonymous" && exchange.incoming.peer.identity !== undefined) return;
    exchange.request.headers.deleteAll(SPELLINGS);
  }
}
