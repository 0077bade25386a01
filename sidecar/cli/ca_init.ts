// `sidecar ca init`: the root of an authority, where there is none.
import { parseArguments, refuseMore } from "./arguments.ts";
import { AUTHORITY_OPTIONS, storeOf, tellFailure } from "./ca_options.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

export async function initAuthority(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals } = parseArguments(args, AUTHORITY_OPTIONS);
  refuseMore(positionals);
  const store = storeOf(values, host);
  return await tellFailure(host, async () => {
    if (!await store.ensure()) {
      host.err(`sidecar: ${store.rootPath}: there is a root already, and it stays\n`);
      return EXIT.badData;
    }
    host.out(`${store.rootPath}: the root of ${values["trust-domain"]}, with its private key\n`);
    return EXIT.ok;
  });
}
