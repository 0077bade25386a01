// What a client of the edge proved by its certificate, said to the services; what it claims is not.
import { NameSet } from "../http/field_names.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import { CERTIFICATE_FIELD, spellingsOf } from "./strip_identity.ts";

const SPELLINGS = new NameSet(spellingsOf(CERTIFICATE_FIELD));

/** Removed from every request, and set anew on connections whose client showed a certificate that was verified. */
export class ClientCertificate implements Filter {
  readonly name = "client-certificate";

  onRequest({ request: { headers }, incoming: { peer } }: ExchangeView): undefined {
    headers.deleteAll(SPELLINGS);
    if (peer.certificate !== undefined) headers.append(CERTIFICATE_FIELD, peer.certificate);
  }
}
