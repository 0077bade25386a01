// `sidecar ca init|issue|show|roll`: the authority in a directory that identity.selfSigned shares, by hand. Prints no key.
import { initAuthority } from "./ca_init.ts";
import { issueCertificate } from "./ca_issue.ts";
import { rollRoot } from "./ca_roll.ts";
import { showCertificates } from "./ca_show.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";

const HELP = `Usage: sidecar ca init  [--directory DIR] [--trust-domain NAME]
       sidecar ca issue --service NAME --out DIR [--namespace NAME] [--ttl TIME] [--directory DIR] [--trust-domain NAME]
       sidecar ca show  [--json] [--directory DIR] [FILE ...]
       sidecar ca roll  begin|switch|finish [--directory DIR] [--trust-domain NAME]

init makes the root of an authority, where there is none. issue writes certificate.pem, key.pem and trust.pem into a
directory, for identity.files of one service. show says what is in the authority's files, or in others. roll replaces the
root without a failed request, with some seconds between its steps: begin makes the next root, which everybody trusts; switch
lets it sign; finish ends the trust in the last one, when every certificate of it has been replaced.

Options:
  --directory DIR      where the authority is; default .mesh/ca
  --trust-domain NAME  default mesh.local
  --service NAME       whom the certificate is for
  --namespace NAME     default default
  --ttl TIME           how long it is good; default 24h
  --out DIR            where its files are written, each in one step, readable by this user alone
  --json               print one JSON document
  -h, --help           print this

Exit codes: 0 done, 65 files that are not what they should be, 66 a file cannot be read, 73 a file cannot be written.

Examples:
  sidecar ca init --trust-domain shop.example
  sidecar ca issue --trust-domain shop.example --service user-service --ttl 72h --out .mesh/user-service
  sidecar ca show .mesh/user-service/certificate.pem
`;

export const caCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const [action, ...rest] = args;
    if (action === "init") return await initAuthority(rest, host);
    if (action === "issue") return await issueCertificate(rest, host);
    if (action === "show") return await showCertificates(rest, host);
    if (action === "roll") return await rollRoot(rest, host);
    const what = action === undefined
      ? "missing action"
      : `unknown action ${JSON.stringify(action)}`;
    throw new UsageError(`${what}, expected init, issue, show or roll`);
  },
};
