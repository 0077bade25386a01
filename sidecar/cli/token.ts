// `sidecar token issue|verify`: tokens by hand, with the keys of a gateway or of files. Prints no secret.
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { issueToken } from "./token_issue.ts";
import { verifyToken } from "./token_verify.ts";

const HELP =
  `Usage: sidecar token issue  (--config FILE | --secret-file FILE | --key-file FILE) [OPTIONS]
       sidecar token verify (--config FILE | --secret-file FILE | --key-file FILE | --jwks FILE|URL) [OPTIONS] [TOKEN]

issue prints a signed token. verify prints the claims of a good one, or on stderr exactly why it is refused; it reads
the token from stdin where none is given.

Keys:
  --config FILE        gateway.jwt of a bootstrap file (issue: gateway.login, else the secret)
  --secret-file FILE   a shared secret; a line feed at its end does not count
  --key-file FILE      PEM: a private key to issue with, a public one to verify with
  --jwks FILE|URL      a JWK Set to verify with

Options of both:
  --issuer TEXT        iss, to set or to ask for
  --audience TEXT      aud, likewise
  --algorithm ALG      e.g. HS512; default: the usual one of the key (verify: any that the key is good for)
  --json               print one JSON document
  -h, --help           print this

Options of issue:
  --subject TEXT       sub
  --claim NAME=TEXT    a further claim; may come often
  --claim-json NAME=JSON
  --expires-in TIME    default 1h
  --kid TEXT           name of the key

Exit codes: 0 done or good, 65 refused or no usable key, 66 a file cannot be read, 69 the keys cannot be fetched,
78 problems in the configuration.

Examples:
  sidecar token issue --config gateway.yaml --claim user_id=alice --expires-in 10m
  sidecar token verify --jwks https://id.example.com/jwks.json --issuer https://id.example.com < token.txt
`;

export const tokenCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const [action, ...rest] = args;
    if (action === "issue") return await issueToken(rest, host);
    if (action === "verify") return await verifyToken(rest, host);
    const what = action === undefined
      ? "missing action"
      : `unknown action ${JSON.stringify(action)}`;
    throw new UsageError(`${what}, expected issue or verify`);
  },
};
